/// An HTTP server that knows nothing of the code under test: it verifies signatures with Python's own `hmac`,
/// answers as its path says, and tells what it saw. It ends with its standard input.
let receiverScript = #"""
    import base64, hashlib, hmac, http.server, json, os, sys, threading, time

    secret = base64.b64decode(os.environ["RECEIVER_SECRET"].removeprefix("whsec_"), validate=True)
    seen, lock, release = [], threading.Lock(), threading.Event()

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
            with lock:
                seen.append({"path": self.path, "method": "GET", "id": "", "verified": False, "body": ""})
            self.answer(200)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            run, moment = self.headers["webhook-id"], self.headers["webhook-timestamp"]
            signed = f"{run}.{moment}.".encode() + body
            expected = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
            given = self.headers["webhook-signature"].split(" ")
            verified = any(hmac.compare_digest(expected, one) for one in given)
            fresh = abs(time.time() - int(moment)) < 300
            with lock:
                earlier = sum(1 for one in seen if one["id"] == run)
                seen.append({
                    "path": self.path, "method": "POST", "id": run, "verified": verified and fresh,
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
            self.answer(200, b"thanks")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    """#
