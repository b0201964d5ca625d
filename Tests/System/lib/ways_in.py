"""Start requests of other systems. See ../ways-in.sh."""

import base64
import http.server
import json
import os
import subprocess
import sys
import threading
import uuid

import jsonschema
import pika

from system import Starter, call, dead_letters_seen, journal, rows, sandbox, until

CHECKS = []
TYPE = "com.tenantatlas.start.requested.v1"


def claim(what, holds, seen=""):
    """A claim that is printed with what became of it."""
    CHECKS.append(bool(holds))
    print(f"{'✔' if holds else '✘'} {what}" + ("" if holds else f": {seen}"), flush=True)


class World:
    """What the demo data has made."""

    def __init__(self):
        with open(os.environ["DEMO_DATA"]) as file:
            data = json.load(file)
        self.tenants = data["tenants"]
        self.tokens = {user["name"]: user["token"] for user in data["users"]}
        self.connections = {tenant["name"]: tenant["connection_id"] for tenant in data["tenants"]}
        self.directories = {tenant["name"]: tenant["entra_tenant_id"] for tenant in data["tenants"]}
        self.system = self.tokens["ticket-system"]
        self.system_id = next(user["id"] for user in data["users"] if user["name"] == "ticket-system")
        self.starter = Starter(self.system)

    def ended(self, run):
        def look():
            _, answer = self.starter.get(f"/v1/runs/{run}")
            return answer if answer["state"] == "completed" else None
        return until(f"run {run} ends", look)


class Door:
    """A foreign program at the broker, with a queue for answers."""

    def __init__(self):
        self.connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.answers = self.channel.queue_declare("", exclusive=True).method.queue

    def send(self, body, headers=None, content_type="application/json", **properties):
        properties.setdefault("reply_to", self.answers)
        properties.setdefault("correlation_id", str(uuid.uuid4()))
        self.channel.basic_publish(
            "requests", "start", body, mandatory=True,
            properties=pika.BasicProperties(
                content_type=content_type, delivery_mode=2, headers=headers or {}, **properties))
        return properties["correlation_id"]

    def answer(self, correlation):
        """The answer with its properties; answers to others are passed over."""
        for _, properties, body in self.channel.consume(self.answers, auto_ack=True, inactivity_timeout=30):
            if properties is None:
                raise AssertionError(f"no answer to {correlation} within 30 s")
            if properties.correlation_id == correlation:
                self.channel.cancel()
                answer = json.loads(body)
                self.contracts.seen["answer"].append(answer.get("data", answer))
                return answer, properties

    def ask(self, body, headers=None, **more):
        return self.answer(self.send(body, headers, **more))

    def dead(self):
        def look():
            count = self.channel.queue_declare("starter.requests.dead", passive=True).method.message_count
            return (count,) if dead_letters_seen("starter.requests", count) else None
        return until("the watch lets the dead letters lie", look)[0]


class Receiver(http.server.BaseHTTPRequestHandler):
    """A webhook's other end: keeps headers and body of everything that it is sent."""

    received = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        Receiver.received.append((self.headers, json.loads(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass

    @staticmethod
    def start(world):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # A manager sets it up for the system, which may not itself.
        status, answer = Starter(world.tokens["Nadia Brandt"]).post("/v1/webhooks", {
            "url": f"http://127.0.0.1:{server.server_port}/hook", "label": "ways in", "signing": "hmac_sha256",
            "user_id": world.system_id})
        assert status == 201, answer

    @staticmethod
    def of(run):
        return until(f"the webhook of {run}", lambda: [
            headers for headers, body in Receiver.received if body["data"]["run_id"] == run])[0]


def binary(world, request, id=None, token=None, prefix="cloudEvents_", **more):
    """Body and headers of a request in binary mode."""
    attributes = {"specversion": "1.0", "type": TYPE, "source": "/ways-in", "id": id or str(uuid.uuid4())} | more
    headers = {prefix + name: value for name, value in attributes.items() if value is not None}
    headers["authorization"] = f"Bearer {token or world.system}"
    return json.dumps(request).encode(), headers


def noted(request, door):
    """A request that is a good one, for the contract's sake."""
    door.contracts.seen["request"].append(request)
    return request


def check(world, tenant="Litware", **more):
    return {"operation": "provider.connection.check", "provider_connection_id": world.connections[tenant]} | more


def run_example(name, **settings):
    # «python3» is to be this interpreter, which has the client library, whichever comes first elsewhere.
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path} | {key: str(value) for key, value in settings.items()}
    result = subprocess.run(
        [f"{os.environ['EXAMPLES']}/{name}"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        print(result.stdout, result.stderr, file=sys.stderr)
    return result.returncode, result.stdout


def examples(world):
    """Each example as it stands, and its trace."""
    for number, (name, tenant) in enumerate([
            ("start.sh", "Fabrikam"), ("start_by_message.sh", "Litware"), ("start_by_message.py", "Woodgrove Bank")]):
        trace = uuid.uuid4().hex
        settings = {"ATLAS_TOKEN": world.system, "CONNECTION": world.connections[tenant], "KEY": f"example-{number}",
                    "TRACEPARENT": f"00-{trace}-00f067aa0ba902b7-01"}
        code, text = run_example(name, **settings)
        answer = json.loads(text)
        answer = answer.get("data", answer)
        claim(f"{name}: accepted", code == 0 and answer.get("result", "accepted") == "accepted", text)
        run = world.ended(answer["run_id"])
        claim(f"{name}: its run succeeds, as the upstream system's", run["outcome"] == "succeeded"
              and run["initiator"]["name"] == "ticket-system" and run["context"]["origin"] == "upstream", run)
        code, text = run_example(name, **settings)
        again = json.loads(text)
        again = again.get("data", again)
        claim(f"{name}: sent again, the same run", code == 0 and again["run_id"] == answer["run_id"]
              and again["duplicate"] is True, text)
        found = rows(f"SELECT traceparent FROM runs WHERE id = '{answer['run_id']}'")[0]["traceparent"]
        claim(f"{name}: the trace is the run's", trace in found, found)
        calls = [entry for entry in journal() if entry["tenant"] == world.directories[tenant]]
        traces = {(entry["traceparent"] or "")[3:35] for entry in calls}
        claim(f"{name}: each of {len(calls)} calls to the provider is of the trace", calls and traces == {trace}, traces)
        told = Receiver.of(answer["run_id"])["traceparent"] or ""
        claim(f"{name}: so is the webhook", told[3:35] == trace, told)
        spans = [entry["traceparent"][36:52] for entry in calls]
        claim(f"{name}: each call is a part of its own", len(set(spans)) == len(spans)
              and "00f067aa0ba902b7" not in spans, spans)


def answers(world, door):
    """Every answer there is."""
    body, headers = binary(world, noted(check(world, wait_limit_seconds=600), door), id="one")
    first, properties = door.ask(body, headers)
    claim("binary mode: accepted", first["result"] == "accepted" and first["state"] == "queued"
          and first["href"] == f"/v1/runs/{first['run_id']}", first)
    claim("the answer is a CloudEvent in binary mode",
          properties.headers.get("cloudEvents_type") == "com.tenantatlas.start.answered.v1"
          and properties.headers.get("cloudEvents_specversion") == "1.0"
          and properties.content_type == "application/json" and properties.message_id, properties)
    world.ended(first["run_id"])
    again, _ = door.ask(body, headers)
    claim("the same source and id: duplicate", again["result"] == "duplicate" and again["run_id"] == first["run_id"]
          and again["state"] == "completed", again)
    other, _ = door.ask(*binary(world, check(world, "Fabrikam"), id="one"))
    claim("the same id for something else: refused", other["result"] == "refused"
          and other["reason_code"] == "idempotency_key_reused", other)
    colon, _ = door.ask(*binary(world, check(world), prefix="cloudEvents:"))
    claim("the other prefix is understood, too", colon["result"] == "accepted", colon)
    world.ended(colon["run_id"])

    event = {"specversion": "1.0", "type": TYPE, "source": "/ways-in", "id": "structured", "data": check(world)}
    token = {"authorization": f"Bearer {world.system}"}
    whole, properties = door.ask(json.dumps(event).encode(), token, content_type="application/cloudevents+json; charset=utf-8")
    claim("structured mode: accepted, and answered in structured mode", whole["data"]["result"] == "accepted"
          and whole["type"] == "com.tenantatlas.start.answered.v1"
          and properties.content_type == "application/cloudevents+json", whole)
    world.ended(whole["data"]["run_id"])
    event["id"], data = "base64", event.pop("data")
    event["data_base64"] = base64.b64encode(json.dumps(data).encode()).decode()
    encoded, _ = door.ask(json.dumps(event).encode(), token, content_type="application/cloudevents+json")
    claim("data in base64 is understood", encoded["data"]["result"] == "accepted", encoded)
    world.ended(encoded["data"]["run_id"])

    # Nobody takes it: it stays queued.
    waiting, _ = door.ask(*binary(world, noted(
        check(world, "Contoso") | {"operation": "backup.run", "parameters": {"kinds": ["scope_tag"]}}, door)))
    busy, _ = door.ask(*binary(world, check(world, "Contoso")))
    claim("another run on the connection: busy, and which", busy["result"] == "busy"
          and busy["active_run"]["run_id"] == waiting["run_id"] and busy["retryable"] is True, busy)

    refusals = {
        "no token": (binary(world, check(world), token="no"), 401, None),
        "a token of nobody": (binary(world, check(world), token="ta_" + "A" * 43), 401, None),
        "a connection that is not there": (
            binary(world, check(world, provider_connection_id=str(uuid.uuid4()))), 404, None),
        "an operation that there is not": (binary(world, check(world, operation="tea.make")), 422, "/operation"),
        "an operation that takes a person with more rights": (
            binary(world, check(world), token=world.tokens["Clara Dubois"]), 403, None),
        "a member that is not known": (binary(world, check(world, colour="red")), 422, "/colour"),
        "data that is no JSON": ((b"tea", binary(world, None)[1]), 400, None),
    }
    for what, ((body, headers), status, pointer) in refusals.items():
        answer, _ = door.ask(body, headers)
        pointers = [error["pointer"] for error in answer.get("errors", [])]
        claim(f"{what}: refused with {status}", answer["result"] == "refused" and answer["status"] == status
              and answer["detail"] and pointers == ([pointer] if pointer else []), answer)


def narrow(world, door):
    """A token may do less than its owner, at this door as at the other."""
    owner = Starter(world.tokens["Nadia Brandt"])
    places = {tenant["name"]: tenant["id"] for tenant in world.tenants}

    def token(**scope):
        status, answer = owner.post("/v1/tokens", {"user_id": world.system_id, "label": "narrow", "days": 1} | scope)
        assert status == 201, answer
        return answer["token"]
    here = token(tenant_ids=[places["Fabrikam"]])
    elsewhere, _ = door.ask(*binary(world, check(world, "Woodgrove Bank"), token=here))
    claim("a token for another tenant: refused with 404", elsewhere.get("status") == 404, elsewhere)
    started, _ = door.ask(*binary(world, check(world, "Fabrikam"), token=here))
    claim("where it is for: accepted", started["result"] == "accepted", started)
    world.ended(started["run_id"])
    looks, _ = door.ask(*binary(world, check(world, "Fabrikam"), token=token(capabilities=["operations.view"])))
    claim("a token that only looks: refused with 403", looks.get("status") == 403, looks)


def foreign(world, door):
    """What is no start request gains nothing, and is kept for people to look at."""
    before, runs = door.dead(), rows("SELECT count(*) FROM runs")
    good = binary(world, check(world, "Tailspin Toys"))
    messages = {
        "no CloudEvent": (good[0], {"authorization": good[1]["authorization"]}, {}),
        "another version": binary(world, check(world), specversion="0.3") + ({},),
        "another type": binary(world, check(world), type="com.example.tea") + ({},),
        "no source": binary(world, check(world), source=None) + ({},),
        "an id that is too long": binary(world, check(world), id="x" * 300) + ({},),
        "broken JSON in structured mode": (b"{", good[1], {"content_type": "application/cloudevents+json"}),
        "no data": (json.dumps({"specversion": "1.0", "type": TYPE, "source": "/a", "id": "b"}).encode(), good[1],
                    {"content_type": "application/cloudevents+json"}),
        "more than may be": (b" " * 70_000, good[1], {}),
    }
    for what, (body, headers, more) in messages.items():
        answer, _ = door.ask(body, headers, **more)
        answer = answer.get("data", answer)
        claim(f"{what}: refused as malformed", answer["result"] == "refused"
              and answer["reason_code"] == "message_malformed", answer)
    until("the dead letters", lambda: door.dead() == before + len(messages))
    claim(f"all {len(messages)} lie in the dead letters", True)
    claim("no run came of them", rows("SELECT count(*) FROM runs") == runs)

    # Answers go to no queue of the system's own, and to none that is not there: the request counts all the same.
    for what, queue in {"one of the system's queues": "jobs.provider", "a queue that is not there": "nobody"}.items():
        body, headers = binary(world, check(world, "Tailspin Toys"))
        door.send(body, headers, reply_to=queue)
        found = until("the run", lambda: rows(
            "SELECT r.id FROM runs r JOIN start_keys k ON k.run_id = r.id"
            f" WHERE k.key = '/ways-in {headers['cloudEvents_id']}'"))
        claim(f"answers to {what}: the run is there", world.ended(found[0]["id"])["outcome"] == "succeeded")
    dead = door.channel.queue_declare("jobs.provider.dead", passive=True).method.message_count
    claim("nothing foreign came to the consumers", dead == 0, dead)
    claim("the queue is empty", door.channel.queue_declare("starter.requests", passive=True).method.message_count == 0)


def many(world, door):
    """Requests for one connection at the same time give one run."""
    requests = [binary(world, check(world, "Adventure Works")) for _ in range(300)]
    correlations = {door.send(body, headers) for body, headers in requests}
    results, started = {}, set()
    for _, properties, body in door.channel.consume(door.answers, auto_ack=True, inactivity_timeout=30):
        if properties is None:
            raise AssertionError(f"{len(correlations)} requests have no answer")
        correlations.discard(properties.correlation_id)
        answer = json.loads(body)
        results[answer["result"]] = results.get(answer["result"], 0) + 1
        started.add(answer["run_id"])
        if not correlations:
            break
    door.channel.cancel()
    for run in started:
        world.ended(run)
    active = rows("SELECT max(c)::int AS most FROM (SELECT count(*) AS c FROM audit WHERE action = 'run.began'"
                  " GROUP BY run_id) x")
    claim(f"300 requests for the same: {results}, {len(started)} runs one after the other",
          set(results) <= {"accepted", "duplicate"} and sum(results.values()) == 300
          and results["accepted"] == len(started) and active[0]["most"] == 1, results)


def refused_half_way(world):
    """A run whose tenant is suspended while it reads: a decision that refuses."""
    owner = Starter(world.tokens["Nadia Brandt"])
    sandbox("POST", "/faults", {"kind": "slow", "delayMs": 300, "path": "/v1.0/deviceManagement/managedDevices",
                                "tenant": world.directories["Fabrikam"]})
    status, started = world.starter.post("/v1/runs", check(world, "Fabrikam", operation="compliance.snapshot"))
    assert status == 202, started
    until("it reads", lambda: owner.get(f"/v1/runs/{started['run_id']}")[1]["state"] == "running")
    tenant = owner.get(f"/v1/runs/{started['run_id']}")[1]["tenant"]["id"]
    status, answer = call("PUT", f"{owner.base}/v1/tenants/{tenant}/operability", owner.token, {"operability": "archived"})
    assert status in (200, 202), answer
    run = world.ended(started["run_id"])
    claim("a run is refused half-way", run["reason"]["code"] == "tenant_archived", run)


class Contracts:
    """The schemas, and every message that was seen of each kind."""

    FILES = {
        "request": "schemas/start-request.schema.json", "answer": "schemas/start-answer.schema.json",
        "webhook": "schemas/webhook.schema.json", "job": "schemas/job.schema.json", "event": "schemas/run-completed.schema.json",
        "decision": "149-queued-execution-reauthorization/contracts/execution-legitimacy.schema.json",
    }

    def __init__(self):
        self.seen = {kind: [] for kind in self.FILES}
        self.schemas = {}
        for kind, file in self.FILES.items():
            with open(f"{os.environ['SPECS']}/{file}") as text:
                self.schemas[kind] = json.load(text)

    def listen(self, door):
        """Queues of our own beside the system's, as any partner may have them."""
        self.door = door
        self.queues = {}
        for kind, exchange, keys in [("job", "jobs", ["provider", "inventory"]), ("event", "run-events", [""])]:
            queue = door.channel.queue_declare("", exclusive=True).method.queue
            for key in keys:
                door.channel.queue_bind(queue, exchange, key)
            self.queues[kind] = queue

    def collect(self):
        for kind, queue in self.queues.items():
            while True:
                method, _, body = self.door.channel.basic_get(queue, auto_ack=True)
                if method is None:
                    break
                self.seen[kind].append(json.loads(body))
        self.seen["webhook"] = [body for _, body in Receiver.received]
        self.seen["decision"] = [row["decision"] for row in rows(
            "SELECT (details->'decision')::jsonb AS decision FROM audit WHERE details->'decision'->'checks' IS NOT NULL"
            " UNION ALL SELECT context->'legitimacy' FROM runs WHERE context->'legitimacy'->'checks' IS NOT NULL")]

    def check(self):
        self.collect()
        for kind, documents in self.seen.items():
            jsonschema.Draft202012Validator.check_schema(self.schemas[kind])
            validator = jsonschema.Draft202012Validator(self.schemas[kind])
            faults = [f"{error.json_path}: {error.message}" for document in documents
                      for error in validator.iter_errors(document)]
            claim(f"{len(documents)} documents of the kind «{kind}» are as their schema says", documents and not faults,
                  faults[:3])
            # What is not described is refused: each document with a member more is none of the kind.
            more = [document for document in documents if validator.is_valid(document | {"colour": "red"})]
            claim(f"and none of the kind «{kind}» is so with a member more", not more, more[:1])


def main():
    world, door = World(), Door()
    contracts = Contracts()
    contracts.listen(door)
    door.contracts = contracts
    Receiver.start(world)
    examples(world)
    answers(world, door)
    narrow(world, door)
    foreign(world, door)
    many(world, door)
    refused_half_way(world)
    contracts.check()
    claim("decisions of both kinds were seen",
          {decision["decision"] for decision in contracts.seen["decision"]} == {"allowed", "denied"})
    passed = sum(CHECKS)
    print(f"{passed} passed, {len(CHECKS) - passed} failed")
    sys.exit(0 if all(CHECKS) else 1)


main()
