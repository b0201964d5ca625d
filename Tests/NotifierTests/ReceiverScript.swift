/// An HTTP server that knows nothing of the code under test: it verifies signatures with Python's own `hmac`
/// and with openssl,
/// answers as its path says, and tells what it saw. It ends with its standard input.
let receiverScript = #"""
    import base64, hashlib, hmac, http.server, json, os, socket, subprocess, sys, tempfile, threading, time

    keys = json.loads(os.environ["RECEIVER_KEYS"])
    seen, lock, release = [], threading.Lock(), threading.Event()
    folder = tempfile.TemporaryDirectory()

    def openssl_verifies(public, signed, signature):
        """By the openssl program, which wants files: the raw key behind the fixed head of its DER form."""
        names = [os.path.join(folder.name, f"{threading.get_ident()}-{part}") for part in ("key", "text", "signature")]
        parts = (bytes.fromhex("302a300506032b6570032100") + public, signed, signature)
        for name, part in zip(names, parts):
            with open(name, "wb") as file: file.write(part)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", names[0], "-rawin",
                   "-in", names[1], "-sigfile", names[2]]
        return subprocess.run(command, capture_output=True).returncode == 0

    def verifies(key, signed, given):
        if key.startswith("whsec_"):
            secret = base64.b64decode(key.removeprefix("whsec_"), validate=True)
            expected = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
            return any(hmac.compare_digest(expected, one) for one in given)
        public = base64.b64decode(key.removeprefix("whpk_"), validate=True)
        return any(
            openssl_verifies(public, signed, base64.b64decode(one.removeprefix("v1a,"), validate=True))
            for one in given if one.startswith("v1a,"))

    class Receiver(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def answer(self, status, body=b"", **headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            if self.path == "/seen":
                with lock:
                    return self.answer(200, json.dumps(seen).encode())
            if self.path == "/trapped":
                return self.answer(200, str(len(trapped)).encode())
            with lock:
                seen.append({"path": self.path, "method": "GET", "id": "", "body": ""})
            self.answer(200)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            run, moment = self.headers["webhook-id"], self.headers["webhook-timestamp"]
            signed = f"{run}.{moment}.".encode() + body
            given = self.headers["webhook-signature"].split(" ")
            fresh = abs(time.time() - int(moment)) < 300
            by = [index for index, key in enumerate(keys) if fresh and verifies(key, signed, given)]
            with lock:
                earlier = sum(1 for one in seen if one["id"] == run)
                seen.append({
                    "path": self.path, "method": "POST", "id": run, "by": by, "signatures": len(given),
                    "body": body.decode(), "content_type": self.headers["content-type"]})
            if self.path == "/once-500" and earlier == 0:
                return self.answer(500)
            if self.path.startswith("/status/"):
                return self.answer(int(self.path.rsplit("/")[-1]))
            if self.path == "/redirect":
                return self.answer(307, Location="/elsewhere")
            if self.path == "/later":
                return self.answer(503, Retry_After="60")
            if self.path == "/slow":
                release.wait(30)
            if self.path == "/slow-once" and earlier == 0:
                release.wait(30)
            self.answer(200, b"thanks")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # Counts connections: where nobody may come, it is too late to look at requests.
    trap, trapped = socket.create_server(("127.0.0.1", 0)), []

    def catch():
        while True: trapped.append(trap.accept()[0])

    threading.Thread(target=catch, daemon=True).start()
    print(server.server_address[1], trap.getsockname()[1], flush=True)
    sys.stdin.read()
    """#
