"""Starts while a cluster loses a node, and what must hold afterwards. See scripts/test-cluster.

cluster.py prepare                              what the changes of the load need: an inventory, an open gate
cluster.py load JOURNAL                         starts until it is told to end (TERM); notes each acknowledged start and each
                                                end that it saw, a document a line
cluster.py check NAME JOURNAL SINCE FAULT TRIES waits until every run has ended, and prints what came of each claim and the
                                                stall. SINCE: the sandbox's journal before the load; FAULT: when it happened,
                                                in seconds since 1970; TRIES: the attempts that a run may have taken
"""

import collections
import http.client
import itertools
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

from system import Starter, call, journal, rows, until

CHECK = "provider.connection.check"
CHANGE = "device.bulk_sync"
# Whose devices are changed while the fault happens; the others' connections are checked again and again.
CHANGED = "Adventure Works"
# Between a run's end and the next start on the same connection, in seconds.
PAUSE = 0.1


def demo():
    with open(os.environ["DEMO_DATA"]) as file:
        return json.load(file)


def person(name="Nadia Brandt"):
    return Starter(next(user["token"] for user in demo()["users"] if user["name"] == name))


def asked(do):
    """What was answered; None where nobody answers now, or something is in trouble: then it is asked again."""
    try:
        status, answer = do()
    except urllib.error.HTTPError as refusal:
        assert refusal.code >= 500, refusal.read()
        return None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return None if status >= 500 else (status, answer)


# ---- the load ------------------------------------------------------------------------------------------------------


class Journal:
    def __init__(self, path):
        self.file = open(path, "a", buffering=1)
        self.lock = threading.Lock()

    def note(self, **what):
        with self.lock:
            self.file.write(json.dumps(what) + "\n")


def start(owner, key, operation, tenant, parameters=None):
    """The run of an acknowledged start. With the same key until it is answered: a start whose answer was lost may have
    happened."""
    body = {"operation": operation, "provider_connection_id": tenant["connection_id"]}
    if parameters:
        body["parameters"] = parameters
    data = json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {owner.token}", "Content-Type": "application/json", "Idempotency-Key": key}

    def post():
        request = urllib.request.Request(f"{owner.base}/v1/runs", data=data, method="POST", headers=headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())

    return until(f"start {key} is acknowledged", lambda: asked(post), 120)[1]["run_id"]


def has_ended(owner, run):
    """Whether nothing more is to be waited for. A run that is not there any more is found by the check."""
    answer = asked(lambda: call("GET", f"{owner.base}/v1/runs/{run}", owner.token, timeout=5))
    assert answer is None or answer[0] in (200, 404), answer
    return answer and (answer[0] == 404 or answer[1]["state"] == "completed")


def lane(owner, number, tenant, log, stop):
    for turn in itertools.count(1):
        if stop.is_set():
            return
        run = start(owner, f"{os.environ['CASE']}-{number}-{turn}", CHECK, tenant)
        log.note(acknowledged=run, operation=CHECK)
        until("a run ends", lambda: has_ended(owner, run), 180)
        log.note(ended=run)
        stop.wait(PAUSE)


def load(path):
    stop, log, owner = threading.Event(), Journal(path), person()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    tenants = demo()["tenants"]
    changed = next(tenant for tenant in tenants if tenant["name"] == CHANGED)
    run = start(owner, f"{os.environ['CASE']}-change", CHANGE, changed, {"filter": {"all": True}})
    log.note(acknowledged=run, operation=CHANGE)
    threads = [threading.Thread(target=lane, args=(owner, number, tenant, log, stop))
               for number, tenant in enumerate(tenants) if tenant is not changed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def prepare():
    owner = person()
    changed = next(tenant for tenant in demo()["tenants"] if tenant["name"] == CHANGED)
    status, answer = call("PUT", f"{owner.base}/v1/tenants/{changed['id']}/write-gate", owner.token, {"open": True})
    assert status < 300, answer
    for operation in [CHECK, "inventory.sync"]:
        run = start(owner, operation, operation, changed)
        until(f"{operation} ends", lambda: has_ended(owner, run))


# ---- what must hold ------------------------------------------------------------------------------------------------


def stall(ends, fault):
    """The longest time without an end of a check, and when it began, in seconds from the fault."""
    gaps = [(later - earlier, earlier - fault) for earlier, later in itertools.pairwise(sorted(ends))]
    return max(gaps)


def lost(acknowledged, runs):
    """Acknowledged starts of which there is no run, or none that ended well. (What was changed in bulk is looked at item by
    item.)"""
    well = {CHECK: ["succeeded"], CHANGE: ["succeeded", "partially_succeeded"]}
    return [run for run, operation in acknowledged.items()
            if run not in runs or runs[run]["outcome"] not in well[operation]]


def twice(runs, audit, tries):
    """Runs that were begun, or ended, more often than they may."""
    began = collections.Counter(row["run_id"] for row in audit if row["action"] == "run.began")
    ended = collections.Counter(row["run_id"] for row in audit if row["action"] == "run.ended")
    return [run for run, row in runs.items()
            if began[run] > min(row["attempt"], tries) or row["attempt"] > tries or ended[run] != 1]


def check(name, path, since, fault, tries):
    fault, tries = float(fault), int(tries)
    with open(path) as file:
        notes = [json.loads(line) for line in file]
    acknowledged = {note["acknowledged"]: note["operation"] for note in notes if "acknowledged" in note}
    until("every run ends", lambda: rows("SELECT count(*) AS c FROM runs WHERE completed_at IS NULL")[0]["c"] == 0, 180)
    until("everybody is told", lambda: rows(
        "SELECT count(*) AS c FROM runs WHERE NOT EXISTS (SELECT FROM notifications WHERE run_id = runs.id)")[0]["c"] == 0)
    until("the outbox is empty", lambda: rows("SELECT count(*) AS c FROM outbox")[0]["c"] == 0)

    ids = ", ".join(f"'{run}'" for run in acknowledged)
    runs = {row["id"]: row for row in rows(
        "SELECT id, operation, outcome, attempt, extract(epoch FROM completed_at)::float8 AS ended FROM runs"
        f" WHERE id IN ({ids})")}
    audit = rows(f"SELECT run_id, action FROM audit WHERE run_id IN ({ids}) AND action IN ('run.began', 'run.ended')")
    changes = next(run for run, operation in acknowledged.items() if operation == CHANGE)
    items = rows(f"SELECT item_key, state FROM run_items WHERE run_id = '{changes}'")
    requests = journal(since)
    permits = {row["id"] for row in rows("SELECT id FROM call_permits")}
    synced = collections.Counter(entry["path"].split("/")[-2] for entry in requests if entry["path"].endswith("/syncDevice"))
    in_doubt = [item for item in items if item["state"] == "in_doubt"]
    checks = [run for run, operation in acknowledged.items() if operation == CHECK]
    called = collections.Counter(entry["clientRequestId"] for entry in requests)

    length, begin = stall([runs[run]["ended"] for run in checks if run in runs], fault)
    print(f"{name}: {len(checks)} acknowledged checks; no check ended for {length:.1f} s, from {begin:+.1f} s of the fault;"
          f" {len(items)} devices changed, {len(in_doubt)} in doubt;"
          f" attempts {dict(collections.Counter(runs[run]['attempt'] for run in runs))}", flush=True)
    claims = [
        ("0 acknowledged starts lost", not lost(acknowledged, runs), lost(acknowledged, runs)),
        ("0 runs done twice", not twice(runs, audit, tries), twice(runs, audit, tries)),
        ("each provider call has its permit, and no permit two calls",
         len(called) > len(checks) and set(called) <= permits and max(called.values()) == 1,
         (len(set(called) - permits), called.most_common(2))),
        ("each device was changed once",
         len(items) > 100 and max(synced.values(), default=0) == 1
         and all(synced[item["item_key"]] == 1 for item in items if item["state"] == "applied")
         and len([item for item in items if item["state"] == "applied"]) + len(in_doubt) == len(items),
         (collections.Counter(item["state"] for item in items), synced.most_common(2))),
        ("the load went on across the fault", sum(runs[run]["ended"] < fault for run in checks if run in runs) >= 10
         and sum(runs[run]["ended"] > fault for run in checks if run in runs) >= 10, len(checks)),
        # A check that finds nothing may be blind.
        ("a planted loss is found", "planted" in lost(acknowledged | {"planted": CHECK}, runs), ""),
        ("a planted second begin is found",
         len(twice(runs, audit + [row for row in audit if row["action"] == "run.began"] * tries, tries)) > 10, ""),
    ]
    for what, holds, seen in claims:
        print(f"{'✔' if holds else '✘'} {name}: {what}" + ("" if holds else f": {seen}"), flush=True)
    passed = sum(bool(holds) for _, holds, _ in claims)
    print(f"{passed} passed, {len(claims) - passed} failed")
    sys.exit(passed != len(claims))


{"prepare": prepare, "load": load, "check": check}[sys.argv[1]](*sys.argv[2:])
