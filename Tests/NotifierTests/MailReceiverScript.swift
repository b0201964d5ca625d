/// A mail relay that knows nothing of the code under test. It does as the recipient's name says, and tells what it has
/// taken over HTTP. It makes its own authority by openssl, prints its ports and the authority's file, and ends with its
/// standard input.
let mailReceiverScript = #"""
    import asyncio, base64, email, email.policy, json, os, ssl, subprocess, sys, tempfile

    folder = tempfile.TemporaryDirectory()
    mails, attempts, release = [], {}, asyncio.Event()

    def path(name): return os.path.join(folder.name, name)

    def openssl(*arguments): subprocess.run(("openssl",) + arguments, check=True, capture_output=True)

    def certificate():
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=relay", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout", path("key"), "-out", path("pem"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path("pem"), path("key"))
        return context

    def told(mail):
        message = email.message_from_bytes(mail.pop("data"), policy=email.policy.default)
        return mail | {"headers": [[name, str(value)] for name, value in message.items()],
                       "text": message.get_content().replace("\r\n", "\n")}

    async def serve_mail(reader, writer, tls, offers, encrypted):
        mail = {"tls": encrypted, "login": None, "recipients": []}
        async def say(line): writer.write(line.encode() + b"\r\n"); await writer.drain()
        try:
            await say("220 relay")
            while True:
                line = (await reader.readuntil(b"\r\n")).decode().strip()
                verb, argument = line[:4].upper(), line[4:].strip()
                address = argument.partition("<")[2].partition(">")[0]
                name = address.partition("@")[0]
                if verb == "EHLO":
                    if offers and not mail["tls"]: writer.write(b"250-STARTTLS\r\n")
                    if mail["tls"]: writer.write(b"250-AUTH PLAIN\r\n")
                    await say("250 SIZE 10000000")
                elif verb == "STAR":
                    await say("220 go")
                    await writer.start_tls(tls)
                    mail["tls"] = True
                elif verb == "AUTH":
                    words = argument.split(" ")
                    if len(words) < 2:
                        await say("334 ")
                        words.append((await reader.readuntil(b"\r\n")).decode().strip())
                    mail["login"] = base64.b64decode(words[1]).decode().split("\0")[1:]
                    await say("235 ok" if mail["login"][1] == "open sesame" else "535 wrong")
                elif verb == "MAIL": mail["sender"] = address; await say("250 ok")
                elif verb == "RCPT":
                    attempts[name] = attempts.get(name, 0) + 1
                    if name == "later" and attempts[name] == 1: await say("451 come back"); continue
                    if name == "never": await say("550 nobody here"); continue
                    mail["recipients"].append(address)
                    await say("250 ok")
                elif verb == "DATA":
                    await say("354 go on")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    mail["data"] = data[:-3].replace(b"\r\n..", b"\r\n.")
                    mails.append(told(dict(mail)))
                    # It has the mail, and the sender does not know.
                    if mail["recipients"][0].startswith("slow") and len(mails) == 1: await release.wait()
                    await say("250 taken")
                elif verb == "QUIT": await say("221 bye"); break
                else: await say("502 what")
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError): pass
        finally: writer.close()

    async def serve_http(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            body = json.dumps(mails).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError): pass
        finally: writer.close()

    async def main():
        tls, facts = certificate(), {"authority": path("pem")}
        async def listen(name, handler, context=None):
            server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
            facts[name] = server.sockets[0].getsockname()[1]
        await listen("http", serve_http)
        await listen("plain", lambda r, w: serve_mail(r, w, tls, False, False))
        await listen("starttls", lambda r, w: serve_mail(r, w, tls, True, False))
        await listen("implicit", lambda r, w: serve_mail(r, w, tls, False, True), tls)
        print(json.dumps(facts), flush=True)
        end = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(end), sys.stdin)
        await end.read()
        folder.cleanup()
        os._exit(0)

    asyncio.run(main())
    """#
