"""Secrets that a provider repeats, looked for in everything that is kept or told. See ../canary.sh."""

import base64
import email
import http.server
import json
import os
import re
import secrets
import socketserver
import subprocess
import sys
import threading
import urllib.parse
import urllib.request

import pika

from system import Starter, call, sandbox, until

CHECKS = []
# Where a failure happens and which: each gets a secret of its own.
FAILURES = [("token", status) for status in [400, 401, 403, 429, 500, 503]] + [
    ("graph", status) for status in [400, 401, 402, 403, 404, 408, 409, 410, 412, 418, 423, 429, 500, 502, 503, 504]]
OPERATIONS = ["provider.connection.check", "inventory.sync", "compliance.snapshot", "policy.sync", "backup.run"]
# Words that tell of a secret beside them (P022b).
WORDS = ["client_secret", "Bearer ", "access_token", "refresh_token", "Authorization:", "client_assertion"]
# A signed token, whoever's it is.
TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.")


def claim(what, holds, seen=""):
    CHECKS.append(bool(holds))
    print(f"{'✔' if holds else '✘'} {what}" + ("" if holds else f": {seen}"), flush=True)


def forms(secret):
    """The secret in the dresses it may come along in."""
    data = secret.encode()
    plain = base64.b64encode(data).decode()
    # Base64 of a text that has it inside begins at one of three places.
    shifted = [base64.b64encode(b"x" * shift + data).decode()[4 * shift:-4].rstrip("=") for shift in (1, 2)]
    return {form for form in [
        secret, plain.rstrip("="), plain.replace("+", "-").replace("/", "_").rstrip("="), *shifted, data.hex(),
        data.hex().upper(), urllib.parse.quote(secret, safe=""), "".join(f"%{byte:02X}" for byte in data),
        "".join(f"\\u{byte:04x}" for byte in data), json.dumps(secret)[1:-1], secret[:20], secret[-20:], secret[::-1],
    ] if len(form) >= 16}


def hits(haystacks, needles):
    """Where any of the needles stands: (what it is, where, a little of what is around)."""
    found = []
    for place, text in haystacks.items():
        for name, needle in needles:
            at = text.find(needle)
            if at >= 0:
                found.append((name, place, text[max(0, at - 60):at + 20]))
    return found


class Receiver(http.server.BaseHTTPRequestHandler):
    """A webhook's other end."""

    received = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        Receiver.received.append(str(self.headers).encode() + body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Relay(socketserver.StreamRequestHandler):
    """A mail relay that keeps what it is given."""

    received = []

    def handle(self):
        self.wfile.write(b"220 relay\r\n")
        for line in self.rfile:
            word = line[:4].upper().strip()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                mail = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    mail.append(line)
                # Encoded as mails are: what they say is looked at, and how they say it.
                raw = b"".join(mail)
                body = email.message_from_bytes(raw).get_payload(decode=True) or b""
                Relay.received.append(raw + body)
            self.wfile.write({b"EHLO": b"250-relay\r\n250 SMTPUTF8\r\n", b"QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n"))
            if word == b"QUIT":
                return


class World:
    def __init__(self):
        with open(os.environ["DEMO_DATA"]) as file:
            data = json.load(file)
        self.tokens = {user["name"]: user["token"] for user in data["users"]}
        self.ids = {user["name"]: user["id"] for user in data["users"]}
        self.tenants = [tenant for tenant in data["tenants"] if tenant["name"] != "Contoso"]
        self.owner = Starter(self.tokens["Nadia Brandt"])

    def atlas(self, *arguments, text=None):
        environment = os.environ | {"ATLAS_TOKEN": self.owner.token}
        result = subprocess.run([f"{os.environ['BIN']}/atlas", *arguments], env=environment, input=text, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # 1 with calls in doubt: a run that was cancelled may have had a request on the wire, and says so.
        done = result.returncode == 0 or (result.returncode == 1 and "in doubt" in result.stdout)
        assert done, (result.returncode, result.stdout, result.stderr)
        return result.stdout


def fail(world, number, endpoint, status):
    """A credential, a failure that repeats it, and an operation that meets it. Returns the secret, the run, what
    the command said, and how often the failure was met."""
    tenant = world.tenants[number % len(world.tenants)]
    operation = OPERATIONS[number % len(OPERATIONS)]
    # As Entra makes them: 40 characters.
    secret = f"cnr8Q~{secrets.token_urlsafe(30)}"[:40]
    path = f"/tenants/{tenant['entra_tenant_id']}"
    sandbox("PUT", path, {"app": {"clientSecret": secret}})
    told = world.atlas("credentials", "set", tenant["connection_id"], text=secret)
    fault = sandbox("POST", "/faults", {
        "kind": "echo", "status": status, "text": secret, "endpoint": endpoint, "tenant": tenant["entra_tenant_id"],
        "skip": number % 2 if endpoint == "graph" else 0})
    status, answer = world.owner.post(
        "/v1/runs", {"operation": operation, "provider_connection_id": tenant["connection_id"]})
    assert status == 202, answer
    run = answer["run_id"]

    def stuck():
        run_now = world.owner.get(f"/v1/runs/{run}")[1]
        return run_now if run_now["state"] == "completed" or run_now.get("reason") else None
    seen = until(f"{operation} meets {endpoint} {status}", stuck)
    if seen["state"] != "completed":
        world.owner.post(f"/v1/runs/{run}/cancel")
        until(f"{operation} is cancelled", lambda: world.owner.get(f"/v1/runs/{run}")[1]["state"] == "completed")
    hit = sandbox("GET", f"/faults/{fault['id']}")["hits"]
    sandbox("DELETE", f"/faults/{fault['id']}")
    return secret, run, told, hit


def haystacks(world, runs, events, told):
    """Everything that is kept or told, by where it is."""
    places = {"atlas": "\n".join(told).encode()}
    for name in os.listdir(os.environ["LOGS"]):
        with open(f"{os.environ['LOGS']}/{name}", "rb") as log:
            # The sandbox is not ours to keep silent, and the broker's own log has no message in it.
            if name not in ("sandbox.log", "rabbitmq.log"):
                places[f"log {name}"] = log.read()
    places["database"] = subprocess.run(
        [f"{os.environ['POSTGRES_BIN']}/pg_dump", "--data-only", os.environ["OWNER_DATABASE_URL"]],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout
    places["events"] = b"\n".join(events)
    places["mails"] = b"\n".join(Relay.received)
    places["webhooks"] = b"\n".join(Receiver.received)
    for number, url in enumerate(os.environ["SERVICES"].split()):
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            places[f"metrics {number}"] = answer.read()
    pages = []
    for run in runs:
        for page in ["", "/explanation", "/items"]:
            pages.append(json.dumps(world.owner.get(f"/v1/runs/{run}{page}")[1]))
    for page in ["audit?limit=200", "provider-connections?limit=200", "notifications?limit=200", "deliveries?limit=200"]:
        pages.append(json.dumps(world.owner.get(f"/v1/{page}")[1]))
    places["API"] = "\n".join(pages).encode()
    return places


def main():
    world = World()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    status, answer = world.owner.post("/v1/webhooks", {
        "url": f"http://127.0.0.1:{server.server_port}/", "label": "canary", "signing": "hmac_sha256",
        "user_id": world.ids["Nadia Brandt"]})
    assert status == 201, answer
    relay = socketserver.ThreadingTCPServer(("127.0.0.1", int(os.environ["SMTP_PORT"])), Relay)
    relay.daemon_threads = True
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    status, answer = call("PUT", f"{world.owner.base}/v1/me/email", world.owner.token,
                          {"address": "nadia@northwind.example", "enabled": True})
    assert status == 200, answer
    connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    for exchange, key in [("run-events", ""), ("jobs", "provider"), ("jobs", "inventory"), ("dead-letters", "jobs.provider"),
                          ("dead-letters", "jobs.inventory"), ("dead-letters", "notifier.terminal")]:
        channel.queue_bind(queue, exchange, key)

    canaries, runs, told, met = [], [], [], 0
    for number, (endpoint, status) in enumerate(FAILURES):
        secret, run, said, hit = fail(world, number, endpoint, status)
        met += hit > 0
        canaries.append(secret)
        runs.append(run)
        told.append(said)
    claim(f"all {len(FAILURES)} kinds of failures were met", met == len(FAILURES), met)
    until("the webhooks", lambda: len(Receiver.received) >= len(runs))
    until("the mails", lambda: len(Relay.received) >= len(runs))
    events = []
    while True:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            break
        events.append(str(properties).encode() + body)
    connection.close()

    places = haystacks(world, runs, events, told)
    size = sum(map(len, places.values()))
    needles = [(f"secret {number} as {form[:6]}…", form.encode())
               for number, secret in enumerate(canaries) for form in forms(secret)]
    found = hits(places, needles)
    claim(f"{len(canaries)} secrets in {len(needles)} forms: none in {len(places)} places with {size:,} bytes", not found,
          found[:5])
    words = hits(places, [(word, word.encode()) for word in WORDS])
    claim("no word that tells of a secret beside it", not words, words[:5])
    tokens = [(place, TOKEN.search(text).group()[:20]) for place, text in places.items() if TOKEN.search(text)]
    claim("no signed token", not tokens, tokens[:5])

    # A check that finds nothing may be blind.
    for name, form in [("raw", canaries[3]), ("base64", base64.b64encode(b"ab" + canaries[5].encode()).decode()),
                       ("half", canaries[7][:25]), ("hex", canaries[0].encode().hex())]:
        planted = places | {"planted": b"x" * 100 + form.encode() + b"y" * 100}
        claim(f"a planted leak is found: {name}", [place for _, place, _ in hits(planted, needles)] == ["planted"]
              or len(hits(planted, needles)) > len(found))
    planted = places | {"planted": json.dumps({"authorization": "Bearer eyJ" + "a" * 30 + "." + "b" * 30 + "."}).encode()}
    claim("a planted token is found", any(TOKEN.search(text) for text in planted.values()))
    passed = sum(CHECKS)
    print(f"{passed} passed, {len(CHECKS) - passed} failed")
    sys.exit(0 if all(CHECKS) else 1)


main()
