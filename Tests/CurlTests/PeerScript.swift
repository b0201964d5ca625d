/// A peer that behaves in all the ways that a client must survive. Python and openssl, nothing else.
///
/// It prints one JSON line with its ports and certificate files, and ends when its standard input closes.
let peerScript = #"""
    import asyncio, base64, collections, gzip, json, os, ssl, struct, subprocess, sys, socket, tempfile, zlib
    from urllib.parse import urlsplit, parse_qs

    folder = tempfile.TemporaryDirectory()
    counters, mails = collections.Counter(), []
    turn = asyncio.Condition()
    connections = 0

    def path(name): return os.path.join(folder.name, name)

    def openssl(*arguments):
        subprocess.run(("openssl",) + arguments, check=True, capture_output=True)

    def authority(name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=" + name, "-keyout", path(name + ".key"), "-out", path(name + ".pem"))

    def certificate(name, issuer, names):
        with open(path(name + ".ext"), "w") as file: file.write("subjectAltName=" + names)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=" + name, "-keyout", path(name + ".key"), "-out", path(name + ".csr"))
        openssl("x509", "-req", "-in", path(name + ".csr"), "-CA", path(issuer + ".pem"),
                "-CAkey", path(issuer + ".key"), "-CAcreateserial", "-days", "2", "-extfile",
                path(name + ".ext"), "-out", path(name + ".pem"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path(name + ".pem"), path(name + ".key"))
        return context

    def answer(body, *headers, status="200 OK"):
        lines = ["HTTP/1.1 " + status, "Content-Length: %d" % len(body), *headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body

    def abort(writer):
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def note(name):
        async with turn:
            counters[name] += 1
            turn.notify_all()

    async def noted(name, count=1):
        async with turn: await turn.wait_for(lambda: counters[name] >= count)

    async def forever(): await asyncio.Event().wait()

    async def flood(writer, name, piece, pieces):
        for _ in range(pieces):
            writer.write(piece)
            await writer.drain()
            counters[name] += len(piece)

    async def route(request, body, writer, connection, served):
        method, target, fields = request
        url = urlsplit(target)
        query = parse_qs(url.query)
        name = query.get("key", [url.path])[0]
        await note(name)
        if url.path == "/held":
            await noted(query["until"][0])
            writer.write(answer(b"held"))
        elif url.path == "/gather":
            # Nobody is answered before all are here.
            await noted(name, int(query["of"][0]))
            writer.write(answer(b"all"))
        elif url.path == "/echo":
            seen = {"method": method, "target": target, "headers": fields,
                    "body": base64.b64encode(body).decode(), "connection": connection}
            writer.write(answer(json.dumps(seen).encode()))
        elif url.path == "/counter": writer.write(answer(str(counters[query["of"][0]]).encode()))
        elif url.path == "/mails": writer.write(answer(json.dumps(mails).encode()))
        elif url.path == "/status": writer.write(answer(b"", status=query["code"][0] + " Whatever"))
        elif url.path == "/headers":
            writer.write(answer(b"", "X-One: first", "x-oNE: second", "Retry-After: 17", "X-Empty:"))
        elif url.path == "/early-hints":
            writer.write(b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" + answer(b"late", "X-Late: 1"))
        elif url.path == "/redirect": writer.write(answer(b"away", "Location: /echo", status="302 Found"))
        elif url.path == "/chunked":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
        elif url.path == "/chunked-cut":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n wo")
            return False
        elif url.path == "/truncated":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
            return False
        elif url.path == "/reset-before": abort(writer); return False
        elif url.path == "/close-before": return False
        elif url.path == "/reset-after":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
            await writer.drain()
            abort(writer); return False
        elif url.path == "/fragile" and served > 0: return False
        elif url.path == "/never": await forever()
        elif url.path == "/headers-then-never":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
            await forever()
        elif url.path == "/huge":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
            await flood(writer, "sent" + name, b"x" * 65536, 1600)
        elif url.path == "/endless":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            await flood(writer, "sent" + name, b"8000\r\n" + b"x" * 32768 + b"\r\n", 1 << 30)
        elif url.path == "/endless-headers":
            writer.write(b"HTTP/1.1 200 OK\r\n")
            await flood(writer, "sent" + name, b"X-More: " + b"x" * 4000 + b"\r\n", 1 << 30)
        elif url.path == "/gzip": writer.write(answer(gzip.compress(b"plain " * 1000), "Content-Encoding: gzip"))
        elif url.path == "/bomb":
            packed = gzip.compress(bytes(100 * 1024 * 1024))
            writer.write(answer(packed, "Content-Encoding: gzip"))
        elif url.path == "/not-gzip": writer.write(answer(b"no gzip at all", "Content-Encoding: gzip"))
        elif url.path == "/garbage": writer.write(b"I do not speak HTTP\r\n\r\n"); return False
        else: writer.write(answer(b"ok"))
        await writer.drain()
        return True

    async def serve_http(reader, writer):
        global connections
        connections += 1
        connection, served = connections, 0
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ", 2)
                fields = [line.split(":", 1) for line in head[1:] if line]
                length = sum(int(v) for k, v in fields if k.lower() == "content-length")
                body = await reader.readexactly(length)
                if not await route((method, target, fields), body, writer, connection, served): break
                served += 1
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError): pass
        finally: writer.close()

    async def serve_mail(reader, writer, tls, offers, encrypted=False):
        mail = {"tls": encrypted, "recipients": [], "login": None}
        async def say(line): writer.write(line.encode() + b"\r\n"); await writer.drain()
        try:
            await say("220 relay")
            while True:
                line = (await reader.readuntil(b"\r\n")).decode().strip()
                verb, argument = line[:4].upper(), line[4:].strip()
                address = argument.partition("<")[2].partition(">")[0]
                counters["smtp " + verb] += 1
                if verb == "EHLO":
                    if offers and not mail["tls"]: writer.write(b"250-STARTTLS\r\n")
                    if mail["tls"]: writer.write(b"250-AUTH PLAIN\r\n")
                    await say("250 SIZE 10000000")
                elif verb == "STAR":
                    await say("220 go")
                    await writer.start_tls(tls)
                    mail["tls"] = True
                elif verb == "AUTH":
                    word = argument.split(" ")
                    if len(word) < 2: await say("334 "); word.append((await reader.readuntil(b"\r\n")).decode().strip())
                    mail["login"] = base64.b64decode(word[1]).decode().split("\0")[1:]
                    await say("235 ok" if mail["login"][1] == "open sesame" else "535 wrong")
                elif verb == "MAIL": mail["sender"] = address; await say("250 ok")
                elif verb == "RCPT":
                    refusal = address[:3]
                    if refusal.isdigit(): await say(refusal + " refused"); continue
                    mail["recipients"].append(address); await say("250 ok")
                elif verb == "DATA":
                    await say("354 go on")
                    sender, head = mail["sender"], await reader.readuntil(b"\r\n\r\n")
                    for line in head.decode().split("\r\n"):
                        if line.startswith("Message-ID: "): counters["mail " + line[13:-1]] += 1
                    data = head
                    if sender.startswith("slow"): await noted("/read-on")
                    while not data.endswith(b"\r\n.\r\n"):
                        more = await reader.read(65536)
                        if not more: counters["cut"] += 1; return
                        data += more
                    mail["data"] = base64.b64encode(data).decode()
                    if sender.startswith("drop"): break
                    if sender.startswith("refuse"): await say("554 no"); continue
                    if sender.startswith("hang"): await forever()
                    mails.append(dict(mail)); await say("250 taken")
                elif verb == "QUIT": await say("221 bye"); break
                else: await say("502 what")
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError): pass
        finally: writer.close()

    async def silent(reader, writer):
        await reader.read()
        writer.close()

    async def main():
        authority("ca"); authority("stranger")
        good = certificate("good", "ca", "DNS:localhost,IP:127.0.0.1")
        foreign = certificate("foreign", "stranger", "DNS:localhost,IP:127.0.0.1")
        other = certificate("other", "ca", "DNS:elsewhere.example")
        ports = {"ca": path("ca.pem")}
        async def listen(name, handler, tls=None, room=1 << 24):
            listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
            if room < 1 << 16:
                # Small segments make small buffers: what is not read here stays with the sender.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            await asyncio.start_server(handler, sock=listener, ssl=tls, limit=room)
            ports[name] = listener.getsockname()[1]
        await listen("http", serve_http)
        await listen("https", serve_http, good)
        await listen("foreign", serve_http, foreign)
        await listen("other", serve_http, other)
        await listen("silent", silent)
        await listen("smtp", lambda r, w: serve_mail(r, w, good, False), room=1 << 12)
        await listen("starttls", lambda r, w: serve_mail(r, w, good, True))
        await listen("smtps", lambda r, w: serve_mail(r, w, good, False, True), good)
        await listen("smtpsForeign", lambda r, w: serve_mail(r, w, foreign, True))
        print(json.dumps(ports), flush=True)
        input_end = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(input_end), sys.stdin)
        await input_end.read()
        folder.cleanup()
        os._exit(0)

    asyncio.run(main())
    """#
