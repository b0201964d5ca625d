"""A foreign program's messages among people's runs. See ../foreign-messages.sh."""

import collections
import copy
import datetime
import decimal
import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid

import pika

from system import Starter, dead_letters_seen, journal, rows, sandbox, seeded, until

MESSAGES = int(os.environ.get("FOREIGN_MESSAGES", "3000"))
RUNS = 20
# How long the dead letters may take to come.
DRAIN_SECONDS = 60
JOB, EVENT = "com.tenantatlas.job.v1", "com.tenantatlas.run.completed.v1"
# Where each exchange leads, and what the exchange's messages are called here.
QUEUES = {"jobs": "jobs.provider", "run-events": "notifier.terminal"}
# Stands in all that is foreign, and must stand in no log and no row.
CANARY = "canary" + uuid.uuid4().hex
# What becomes of a message: this, or the word of the log line for what is refused.
ACKNOWLEDGED = None
LOG_LINES = {
    "a message is no job; it goes to the dead letters": None,
    "a message names no run of this queue": "no run",
    "an unreadable event goes to the dead letters": "unreadable",
    "an event that no ended run bears out goes to the dead letters": "forged",
}
# Rows that no run changes, and rows that runs leave behind, with what names one.
STILL = {table: f"SELECT * FROM {table}" for table in [
    "platform", "workspaces", "users", "memberships", "api_tokens", "provider_credentials", "start_keys", "webhooks",
    "webhook_keys", "email_settings", "delivery_tries", "outbox"]}
# Not the whole row: a check enters when it was last well.
STILL["tenants"] = "SELECT id, name, operability, authority_epoch, frozen, write_gate_open FROM tenants"
KEYS = {"runs": ["id"], "call_permits": ["id"], "run_items": ["run_id", "item_key"],
        "notifications": ["run_id", "channel"], "audit": ["id"]}

Foreign = collections.namedtuple("Foreign", "name fate exchange body properties")


def bytes_of(document):
    return json.dumps(document).encode()


def nested(depth):
    """A header's value in which lists stand in lists."""
    value = [CANARY]
    for _ in range(depth):
        value = [value]
    return value


def forged_headers():
    """Headers as the broker and CloudEvents clients set them. (A list of anything but tables as `x-death`, or a
    text as the count of the same queue and reason, ends the dead-lettering of RabbitMQ 3.10 for all queues.)"""
    death = {"count": 10**6, "reason": "rejected", "queue": CANARY, "exchange": "jobs",
             "routing-keys": ["provider"], "time": datetime.datetime(2020, 1, 1)}
    counts = {"x-delivery-count": 10**6, "x-first-death-queue": CANARY, "x-first-death-reason": "rejected"}
    return [
        counts | {"x-death": [death]}, counts | {"x-death": [dict(death, count="many")]},
        {"x-death": [{}], "x-delivery-count": -1}, {"x-death": {}, "x-delivery-count": "many"},
        {"x-death": CANARY, "x-delivery-count": nested(3)}, {"x-death": 5, "CC": ["nowhere"]},
        {"cloudEvents_type": EVENT, "cloudEvents_id": CANARY, "cloudEvents:source": "/tenantatlas/runs"},
        {"tenant_id": CANARY, "authority": "system", "capability": "provider.run"},
        {"deep": nested(15_000)}, {"large": CANARY * 2_500}, {"many": {f"{CANARY}{n}": n for n in range(500)}},
        {"odd": [decimal.Decimal("1.5"), True, None, -(2**62), b"\xff\x00", datetime.datetime(9999, 1, 1)]},
    ]


# ---- jobs --------------------------------------------------------------------------------------------------------


def job(run, attempt=1, **more):
    return bytes_of({"version": 1, "run_id": run, "attempt": attempt} | more)


def jobs(world, choice):
    """One of each kind: name, what becomes of it, body, properties beside the usual ones."""
    done, run = choice.choice(world.completed), str(uuid.UUID(int=choice.getrandbits(128)))
    noise = choice.randbytes(choice.randint(1, 900))
    yield "bytes", "notJSON", b"\x00" + noise + CANARY.encode(), {}
    yield "text", "notJSON", (CANARY * choice.randint(1, 20)).encode(), {}
    yield "nothing", "notJSON", b"", {}
    yield "not UTF-8", "notJSON", b'{"version":1,"run_id":"\xff\xfe' + CANARY.encode() + b'"}', {}
    yield "cut off", "notJSON", job(done)[:choice.randint(1, 60)], {}
    yield "twice the same name", "notJSON", job(done)[:-1] + b',"attempt":2}', {}
    yield "something behind", "notJSON", job(done) + CANARY.encode(), {}
    yield "a byte order mark", "notJSON", b"\xef\xbb\xbf" + job(done), {}
    yield "deep", "notJSON", b"[" * choice.randint(65, 1024), {}
    yield "deep member", "notJSON", job(done)[:-1] + b',"x":' + b"[" * 64 + b"]" * 64 + b"}", {}
    yield "deep as allowed", "memberUnknown", job(done)[:-1] + b',"x":' + b"[" * 63 + b"]" * 63 + b"}", {}
    for shape in ([], None, CANARY, 42, {}, [{"version": 1, "run_id": done, "attempt": 1}], {CANARY: CANARY}):
        yield "another shape", "versionUnknown", bytes_of(shape), {}
    for version in (0, 2, -1, "1", 1.0, True, None, 2**64, [1], CANARY):
        yield "another version", "versionUnknown", job(world.waiting, 2, version=version), {}
    for kind in ("com.tenantatlas.job.v2", JOB.upper(), JOB + "\x00", EVENT, "", CANARY, b"\xff\xfe" * 100):
        yield "another type", "versionUnknown", job(world.waiting, 2), {"type": kind}
    yield "no type", "versionUnknown", job(world.waiting, 2), {"type": None}
    for name in (None, 42, CANARY, "", f"{{{done}}}", done.replace("-", ""), f" {done}", f"urn:uuid:{done}",
                 f"{done}'; DROP TABLE runs; --", [done], {"id": done}):
        yield "no run's id", "runMissing", job(name), {}
    for name in (run, str(uuid.UUID(int=0)), "f" * 8 + "-ffff-ffff-ffff-" + "f" * 12, world.tenants[0]["id"]):
        yield "unknown run", "no run", job(name), {}
    yield "another family's run", "no run", job(world.inventory, choice.randint(1, 3)), {}
    for attempt in (0, -1, 1_000_001, 2**63 - 1, -(2**63), 2**64, 1e300, 1.5, "1", None, True, [1], CANARY):
        yield "no attempt", "attemptMissing", job(choice.choice([done, world.waiting]), attempt), {}
    for attempt in (1, 2, 1_000_000):
        yield "run that has ended", ACKNOWLEDGED, job(done, attempt), {}
        yield "run that is under way", ACKNOWLEDGED, job(world.running, attempt), {}
    for attempt in (1, 2, 3, 1_000_000):
        yield "other attempt of a queued run", ACKNOWLEDGED, job(world.waiting, attempt), {}
    yield "run that was cancelled", ACKNOWLEDGED, job(world.cancelled, choice.randint(1, 3)), {}
    yield "replay", ACKNOWLEDGED, world.jobs[done][0], {"exactly": world.jobs[done][1]}
    yield "in capitals", ACKNOWLEDGED, job(done.upper()), {}
    yield "a foreign trace", ACKNOWLEDGED, job(done, traceparent=choice.choice([CANARY, 7, {CANARY: [1]}])), {}
    other = choice.choice(world.tenants)
    for more in ({"tenant_id": other["id"]}, {"capability": "provider.run"}, {"authority": "system"},
                 {"initiator_id": world.owner["id"], "grant": CANARY}, {"Version": 1}, {"": CANARY},
                 {"tenant_id": other["id"], "connection_id": other["connection_id"], "role": "owner"}):
        yield "claims", "memberUnknown", job(world.waiting, 2, **more), {}
    yield "2 KB", "tooLarge", job(done, x=CANARY * 50), {}
    for headers in forged_headers():
        yield "forged headers", ACKNOWLEDGED, job(done), {"headers": headers}
        yield "forged headers on an unknown run", "no run", job(run), {"headers": headers}
    yield "odd properties", ACKNOWLEDGED, job(done), odd_properties(choice)


def odd_properties(choice):
    return {"timestamp": choice.choice([0, 2**63, 2**64 - 1]), "priority": choice.randint(0, 255),
            "content_type": CANARY, "content_encoding": "gzip", "reply_to": "jobs.provider", "app_id": "starter",
            "delivery_mode": 1, "correlation_id": "\x00" * 255}


# ---- events ------------------------------------------------------------------------------------------------------


def event(original, data=None, **more):
    changed = copy.deepcopy(original) | more
    changed["data"] = changed["data"] | (data or {})
    return bytes_of(changed)


def without(original, name):
    changed = copy.deepcopy(original)
    (changed if name in changed else changed["data"]).pop(name)
    return bytes_of(changed)


def told(world, original, run):
    """The event with which a run that is still open would end well, true in all but that."""
    of = world.before["runs"][run,]
    return event(original, {
        "run_id": run, "operation": of["operation"], "workspace_id": of["workspace_id"],
        "tenant_id": of["tenant_id"], "provider_connection_id": of["connection_id"],
        "initiator_id": of["initiator_id"], "attempt": of["attempt"]}, id=run, subject=run)


def events(world, choice):
    """As ``jobs``."""
    done, run = choice.choice(world.completed), str(uuid.UUID(int=choice.getrandbits(128)))
    body, properties = world.events[done]
    true = json.loads(body)
    data = true["data"]
    yield "bytes", "unreadable", choice.randbytes(choice.randint(1, 9_000)) + CANARY.encode(), {}
    yield "nothing", "unreadable", b"", {}
    yield "not UTF-8", "unreadable", body[:-1] + b',"x":"\xff"}', {}
    yield "cut off", "unreadable", body[:choice.randint(1, 200)], {}
    yield "deep", "unreadable", b"[" * choice.randint(65, 16_000), {}
    for shape in ([], None, CANARY, 42, {}, data, [true], {"type": EVENT}, {"type": EVENT, "data": CANARY}):
        yield "another shape", "unreadable", bytes_of(shape), {}
    yield "binary mode", "unreadable", bytes_of(data), {
        "headers": {"cloudEvents_type": EVENT, "cloudEvents_id": done, "cloudEvents_specversion": "1.0"}}
    for kind in (EVENT.replace("v1", "v2"), JOB, CANARY, None, 1):
        yield "another type", "unreadable", event(true, type=kind), {}
    for name in ("id", "type", "data", "run_id", "operation", "outcome", "counts", "tenant_id", "attempt",
                 "workspace_id", "provider_connection_id", "queued_at", "completed_at"):
        yield "something is missing", "unreadable", without(true, name), {}
    yield "two runs", "unreadable", event(true, id=run), {}
    for wrong in ({"outcome": CANARY}, {"counts": {CANARY: 1}}, {"counts": {"total": -1}}, {"attempt": "1"},
                  {"counts": {"total": 1.5}}, {"completed_at": CANARY}, {"queued_at": "2026-02-30T00:00:00.000000Z"},
                  {"tenant_id": CANARY}, {"attempt": 2**64}):
        yield "no such value", "unreadable", event(true, wrong), {}
    yield "unknown run", "forged", event(true, {"run_id": run}, id=run, subject=run), {}
    other = choice.choice([tenant for tenant in world.tenants if tenant["id"] != data["tenant_id"]])
    user = choice.choice([user for user in world.users if user["id"] != data["initiator_id"]])
    for lie in ({"initiator_id": user["id"]}, {"initiator_id": None}, {"initiator_id": CANARY}, {"outcome": "failed"},
                {"outcome": "blocked", "reason_code": "tenant_suspended"}, {"operation": "compliance.snapshot"},
                {"operation": CANARY}, {"tenant_id": other["id"]}, {"workspace_id": run},
                {"provider_connection_id": other["connection_id"]},
                {"tenant_id": other["id"], "provider_connection_id": other["connection_id"]}):
        yield "a lie about a run that has ended", "forged", event(true, lie), {}
    for open_run in (world.waiting, world.inventory):
        yield "the end of a queued run", "forged", told(world, true, open_run), {}
    yield "the end of a cancelled run", "forged", event(
        json.loads(world.events[world.cancelled][0]), {"outcome": "succeeded"}), {}
    yield "replay", ACKNOWLEDGED, body, {"exactly": properties}
    yield "replay of a cancelled run", ACKNOWLEDGED, world.events[world.cancelled][0], {}
    for kind in (None, CANARY, JOB):
        yield "the property says another type", ACKNOWLEDGED, body, {"type": kind}
    for more in ({"counts": {"total": 10**9}}, {"attempt": 7}, {"reason_code": CANARY}, {"title": CANARY},
                 {"completed_at": "1970-01-01T00:00:00.000000Z"}):
        yield "other news of a run that has ended", ACKNOWLEDGED, event(true, more, x=CANARY), {}
    yield "17 KB", "unreadable", event(true, x=CANARY * 420), {}
    for headers in forged_headers():
        yield "forged headers", ACKNOWLEDGED, body, {"headers": headers}
        yield "forged headers on a lie", "forged", event(true, {"outcome": "failed"}), {"headers": headers}
    yield "odd properties", ACKNOWLEDGED, body, odd_properties(choice)


# ---- publishing --------------------------------------------------------------------------------------------------


class Broker:
    """The foreign program's connection."""

    def __init__(self):
        # The library reads and writes nested headers by recursion.
        sys.setrecursionlimit(200_000)
        self.connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.sent = {}

    def listen(self, exchange):
        """A queue of our own that gets a copy of all that is published."""
        queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(queue, exchange, "provider")
        return queue

    def take(self, queue):
        """All messages of a queue, which is empty afterwards."""
        while True:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if method is None:
                return
            yield properties, body

    def drain(self, queue, count):
        """The properties of all messages of a queue: of `count`, and of what comes within a second after them.

        As a consumer that stays: fetched one by one, hundreds take long enough for the starter's watch to notice that the
        queue gets shorter, and to have the rest in its hands again and again. What it gives back comes here.
        """
        end = time.monotonic() + DRAIN_SECONDS
        taken = 0
        for method, properties, _ in self.channel.consume(queue, auto_ack=True, inactivity_timeout=1):
            if method is not None:
                taken += 1
                yield properties
            elif taken >= count or time.monotonic() > end:
                break
        self.channel.cancel()

    def count(self, queue):
        return self.channel.queue_declare(queue, passive=True).method.message_count

    def publish(self, message):
        """Returns when the broker has it."""
        given = dict(message.properties)
        properties = given.pop("exactly", None)
        name = f"foreign-{len(self.sent)}"
        if properties is None:
            usual = {"message_id": name, "type": JOB if message.exchange == "jobs" else EVENT,
                     "correlation_id": CANARY, "headers": {"x-note": CANARY}, "delivery_mode": 2}
            properties = pika.BasicProperties(**usual | given)
        key = "provider" if message.exchange == "jobs" else ""
        self.channel.basic_publish(message.exchange, key, message.body, properties, mandatory=True)
        self.sent[name] = message


def large():
    """What fills memories: few of them."""
    for size in (10**6, 10**6, 5 * 10**6):
        body = (CANARY * (size // len(CANARY) + 1)).encode()[:size]
        yield Foreign(f"{size // 10**6} MB", "tooLarge", "jobs", body, {})
        yield Foreign(f"{size // 10**6} MB", "unreadable", "run-events", body, {})


def storm(world, choice):
    """All foreign messages, in any order."""
    messages = [message for _ in range(3) for message in large()]
    while len(messages) < MESSAGES:
        messages += [Foreign(name, fate, "jobs", *rest) for name, fate, *rest in jobs(world, choice)]
        messages += [Foreign(name, fate, "run-events", *rest) for name, fate, *rest in events(world, choice)]
    choice.shuffle(messages)
    return messages


def around(world, run):
    """What is said about a person's run while it is queued, under way, or just over."""
    original = json.loads(world.events[world.completed[0]][0])
    lie = event(original, {"run_id": run, "outcome": "failed"}, id=run, subject=run)
    yield Foreign("early bell", ACKNOWLEDGED, "jobs", job(run), {})
    yield Foreign("early bell with a trace", ACKNOWLEDGED, "jobs", job(run, traceparent=CANARY), {})
    yield Foreign("next attempt", ACKNOWLEDGED, "jobs", job(run, 2), {})
    yield Foreign("claims about it", "memberUnknown", "jobs", job(run, tenant_id=world.tenants[0]["id"]), {})
    yield Foreign("it as another type", "versionUnknown", "jobs", job(run), {"type": EVENT})
    yield Foreign("a lie about it", "forged", "run-events", lie, {})


# ---- the world ---------------------------------------------------------------------------------------------------


class World:
    """The runs that the foreign messages are about, and what there is before them."""

    def __init__(self, demo, broker):
        self.tenants, self.users = demo["tenants"], demo["users"]
        self.owner = next(user for user in self.users if user["role"] == "owner")
        self.operators = [user for user in self.users if user["role"] == "operator"]
        self.started = {}
        listening = {exchange: broker.listen(exchange) for exchange in QUEUES}
        *self.busy, waiting, cancelled, slow = self.tenants
        self.completed = [self.start(tenant) for tenant in self.busy]
        # A provider that asks for patience leaves a run queued for its second attempt, in 15 minutes.
        for tenant in (waiting, cancelled):
            sandbox("POST", "/faults", {"kind": "throttle", "retryAfter": 900, "tenant": tenant["entra_tenant_id"]})
        self.waiting, self.cancelled = self.start(waiting), self.start(cancelled)
        for run in (self.waiting, self.cancelled):
            until("a run waits", lambda: self.row(run)["attempt"] == 2 and self.row(run)["state"] == "queued")
        status, answer = Starter(self.owner["token"]).post(f"/v1/runs/{self.cancelled}/cancel")
        assert status == 202, answer
        self.inventory = self.start(cancelled, "inventory.sync")
        sandbox("DELETE", "/faults")
        sandbox("POST", "/faults", {"kind": "slow", "delayMs": 45_000, "count": 1,
                                    "tenant": slow["entra_tenant_id"]})
        ended = self.completed + [self.cancelled]
        until("the runs have ended and are told of", lambda: all(map(self.has_ended, ended)) and len(
            rows("SELECT run_id FROM notifications")) == len(ended))
        self.running = self.start(slow)
        until("a run is under way", lambda: self.row(self.running)["state"] == "running" and rows(
            f"SELECT id FROM call_permits WHERE run_id = '{self.running}'"))
        self.jobs = {json.loads(body)["run_id"]: (body, properties)
                     for properties, body in broker.take(listening["jobs"])}
        self.events = {json.loads(body)["id"]: (body, properties)
                       for properties, body in broker.take(listening["run-events"])}
        for queue in listening.values():
            broker.channel.queue_delete(queue)
        self.before = tables()

    def start(self, tenant, operation="provider.connection.check"):
        user = self.operators[len(self.started) % len(self.operators)]
        status, run = Starter(user["token"]).post(
            "/v1/runs", {"operation": operation, "provider_connection_id": tenant["connection_id"]})
        assert status == 202, run
        self.started[run["run_id"]] = (tenant, user)
        return run["run_id"]

    def row(self, run):
        return rows(f"SELECT * FROM runs WHERE id = '{run}'")[0]

    def has_ended(self, run):
        return self.row(run)["state"] == "completed"


def tables():
    """All rows that runs leave behind, each under its key; and a list for each table that they don't touch."""
    found = {table: {tuple(row[key] for key in keys): row for row in rows(f"SELECT * FROM {table}")}
             for table, keys in KEYS.items()}
    return found | {table: sorted(map(json.dumps, rows(query))) for table, query in STILL.items()}


class Service:
    """A process of the stack, known by its id and the kernel's start time of it."""

    def __init__(self, line):
        self.name, self.url = line.split()
        with open(os.environ["PROCESSES"]) as file:
            self.pid, self.born = next(words.split()[1:3] for words in file if words.split()[0] == self.name)
        self.log = f"{os.environ['LOGS']}/{self.name}.log"
        self.begin = os.path.getsize(self.log)

    def is_up(self):
        try:
            with open(f"/proc/{self.pid}/stat") as file:
                born = file.read().rsplit(")", 1)[1].split()[19]
            with urllib.request.urlopen(self.url + "/readyz", timeout=30) as answer:
                return born == self.born and answer.status == 200
        except OSError:
            return False

    def text(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def lines(self):
        """What it logged since the foreign messages began."""
        with open(self.log, errors="replace") as file:
            file.seek(self.begin)
            return [json.loads(line) for line in file if line.startswith("{")]


# ---- the test ----------------------------------------------------------------------------------------------------


def blow(world, broker, services, choice):
    """The storm with the people's runs in it. Returns whether the services were up all the time."""
    original = json.loads(world.events[world.completed[0]][0])
    count = 20
    for _ in range(count):
        broker.publish(Foreign("the end of a run under way", "forged", "run-events", told(
            world, original, world.running), {}))
    until("they are refused", lambda: broker.count("notifier.terminal.dead") == count)
    assert world.row(world.running)["state"] == "running", "the run that was to be under way has ended"
    messages = storm(world, choice)
    part = len(messages) // RUNS + 1
    up = True
    for turn in range(RUNS):
        for message in messages[turn * part:(turn + 1) * part]:
            broker.publish(message)
        tenant = world.busy[turn % len(world.busy)]
        until("the connection is free", lambda: not rows(
            f"SELECT id FROM runs WHERE tenant_id = '{tenant['id']}' AND state <> 'completed'"))
        for message in around(world, world.start(tenant)):
            broker.publish(message)
        up = all([service.is_up() for service in services]) and up
    return up


def settled(world, broker, expected):
    """Waits until there is nothing left to do; says whether that came about."""
    def is_still():
        text = subprocess.run(
            [os.environ["RABBITMQ_CTL"], "list_queues", "--quiet", "--formatter", "json", "name", "messages"],
            check=True, stdout=subprocess.PIPE).stdout
        left = {queue["name"]: queue["messages"] for queue in json.loads(text)}
        return all(left[queue] == 0 and broker.count(f"{queue}.dead") == expected[exchange].total()
                   and dead_letters_seen(queue, expected[exchange].total()) for exchange, queue in QUEUES.items())
    try:
        until("all people's runs have ended", lambda: all(map(world.has_ended, legitimate(world))), 180)
        until("the queues are empty", is_still, 90)
        return True
    except AssertionError as late:
        print(late, flush=True)
        return False


def legitimate(world):
    """The runs that a person started and whose end is not known from before."""
    return [run for run in world.started if run == world.running or (run,) not in world.before["runs"]]


def refused_ids(broker, expected):
    """The dead letters by exchange: their ids, and whether the broker says that they were rejected there."""
    found = {exchange: collections.Counter() for exchange in QUEUES}
    for exchange, queue in QUEUES.items():
        for properties in broker.drain(f"{queue}.dead", expected[exchange].total()):
            deaths = [death for death in properties.headers["x-death"] if death.get("queue") == queue]
            rejected = [death["reason"] for death in deaths] == ["rejected"]
            found[exchange][properties.message_id if rejected else f"not rejected: {properties.message_id}"] += 1
    return found


def print_kinds(sent, dead):
    """Each kind with how many were sent, and how many are dead letters."""
    kinds = collections.defaultdict(lambda: [0, 0, 0])
    for name, message in sent.items():
        kind = kinds[message.exchange, message.name, message.fate or "acknowledged"]
        kind[0] += 1
        kind[1] += message.fate is not None
        kind[2] += dead[message.exchange][name]
    for (exchange, name, fate), (count, expected, found) in sorted(kinds.items()):
        print(f"  {exchange:10} {name:32} {fate:14} sent {count:4}  refused {found:4} of {expected:4}")


def log_words(lines):
    """How often each reason for a refusal was logged."""
    words = collections.Counter()
    for line in lines:
        if line["message"] in LOG_LINES:
            words[LOG_LINES[line["message"]] or line["cause"]] += 1
    return words


def explained(world, after):
    """Claims: what is there afterwards is what was there, and what the people's runs explain."""
    runs = legitimate(world)
    before = world.before

    def others(found, table):
        return {key: row for key, row in found[table].items()
                if row["id" if table == "runs" else "run_id"] not in runs}

    def of_runs(table, run):
        return [row for row in after[table].values() if row["run_id"] == run]

    def is_right(run):
        row, (tenant, user) = after["runs"][run,], world.started[run]
        return (row["state"], row["outcome"], row["attempt"], row["failed_attempts"]) == (
            "completed", "succeeded", 1, 0) and row["initiator_id"] == user["id"] and (
            row["tenant_id"] == tenant["id"] and row["operation"] == "provider.connection.check")

    calls = sorted(permit["call"] for permit in of_runs("call_permits", world.completed[0]))
    yield "each of the people's runs succeeded at its first attempt", len(runs) == RUNS + 1 and all(
        map(is_right, runs))
    yield "each has opened the calls of one check, for its own person and tenant, and closed them", all(
        sorted(permit["call"] for permit in of_runs("call_permits", run)) == calls and all(
            permit["attempt"] == 1 and permit["closed_at"] and not permit["in_doubt"]
            and permit["user_id"] == world.started[run][1]["id"]
            and permit["tenant_id"] == world.started[run][0]["id"] for permit in of_runs("call_permits", run))
        for run in runs)
    yield "each has told its person once", all(
        [(row["channel"], row["user_id"], row["event"]["data"]["outcome"]) for row in of_runs("notifications", run)]
        == [("inbox", world.started[run][1]["id"], "succeeded")] for run in runs)
    yield "each is in the audit as queued, begun and ended, once", all(
        [row["action"] for row in sorted(of_runs("audit", run), key=lambda row: row["id"])]
        == ["run.queued", "run.began", "run.ended"] for run in runs)
    for table in KEYS:
        yield f"no other row of {table} changed, came or went", others(after, table) == others(before, table)
    changed = [table for table in STILL if before[table] != after[table]]
    yield f"nothing else changed {changed or ''}".strip(), not changed
    yield "no row holds anything foreign", CANARY not in repr(after)


def main():
    with open(os.environ["DEMO_DATA"]) as file:
        demo = json.load(file)
    choice = seeded()
    broker = Broker()
    world = World(demo, broker)
    since = journal()[-1]["seq"]
    services = [Service(line) for line in os.environ["SERVICES"].splitlines()]
    up = blow(world, broker, services, choice)
    expected = {exchange: collections.Counter(
        name for name, message in broker.sent.items() if message.exchange == exchange and message.fate is not None)
        for exchange in QUEUES}
    still = settled(world, broker, expected)
    up = all([service.is_up() for service in services]) and up
    after = tables()
    dead = refused_ids(broker, expected)
    print_kinds(broker.sent, dead)
    lines = {service.name: service.lines() for service in services}
    fates = collections.Counter(message.fate for message in broker.sent.values() if message.fate is not None)
    permits = {row["id"] for row in after["call_permits"].values() if row["run_id"] in legitimate(world)}
    requests = [entry["clientRequestId"] for entry in journal(since)]
    claims = [
        (f"{len(broker.sent)} foreign messages were taken", len(broker.sent) >= MESSAGES),
        ("starter, notifier and consumer stayed up and ready, the same processes", up),
        *explained(world, after),
        (f"the provider got {len(requests)} requests, each by another permit of the people's runs",
         len(requests) > RUNS and len(set(requests)) == len(requests) and set(requests) <= permits),
        ("the queues are empty at the end, and all runs have ended", still),
        *((f"{queue}.dead holds exactly the {expected[exchange].total()} messages that are to be refused",
           dead[exchange] == expected[exchange]) for exchange, queue in QUEUES.items()),
        ("each refusal is in the log, by its reason",
         log_words(lines["consumer"] + lines["notifier"]) == fates),
        ("no log holds anything foreign", not any(CANARY in service.text() for service in services)),
        ("nothing else was worth a warning", not [
            line for name in lines for line in lines[name]
            if line["level"] in ("warning", "error", "critical") and line["message"] not in LOG_LINES]),
    ]
    for claim, holds in claims:
        print(("ok   " if holds else "FAIL ") + claim)
    print(f"{sum(bool(holds) for _, holds in claims)} passed, {sum(not holds for _, holds in claims)} failed")
    sys.exit(not all(holds for _, holds in claims))


main()
