"""The race of revokers against callers. See ../revocation-race.sh."""

import json
import os
import sys
import threading
import time

from system import Consumer, Starter, journal, journal_end, seeded, until

SECONDS = float(os.environ.get("RACE_SECONDS", "30"))
CONTROL_SECONDS = float(os.environ.get("RACE_CONTROL_SECONDS", "10"))
CONSUMERS = 3
# How many calls of all lanes a revoke comes after at most, and how many revokes a kill: about half a second, and a second.
CALLS_BETWEEN = 200
REVOKES_BETWEEN = 20


class Lane(threading.Thread):
    """One tenant: gives the caller a grant, starts a run, takes the grant away in the middle, over and over."""

    def __init__(self, tenant, owner, caller, choice, end):
        super().__init__()
        self.tenant, self.owner, self.caller, self.choice, self.end = tenant, owner, caller, choice, end
        self.quiet = []  # (from, to) in monotonic ns: no call may begin in between
        self.in_doubt = 0
        self.latencies = []
        self.failure = None

    def run(self):
        try:
            while time.monotonic() < self.end:
                self.once()
        except Exception as failure:  # a thread's failure is the test's
            self.failure = failure

    def once(self):
        who = {"user_id": self.caller["id"], "tenant_id": self.tenant["id"]}
        if self.quiet and self.quiet[-1][1] is None:
            self.quiet[-1] = (self.quiet[-1][0], time.monotonic_ns())
        status, answer = self.owner.post("/v1/access/grants", who | {"role": "operator"})
        assert status == 201, answer
        status, run = Starter(self.caller["token"]).post(
            "/v1/runs",
            {"operation": "provider.connection.check", "provider_connection_id": self.tenant["connection_id"]})
        assert status == 202, run
        # After some calls of all lanes more: before the run begins, in the middle, or when it has ended.
        target = journal_end() + self.choice.randrange(CALLS_BETWEEN)
        until("some calls more", lambda: journal_end() >= target or self.has_ended(run["run_id"]))
        before = time.monotonic()
        status, answer = self.owner.post("/v1/access/revocations", who)
        after = time.monotonic_ns()
        assert status in (200, 202), answer
        self.latencies.append(time.monotonic() - before)
        if status == 200:
            self.quiet.append((after, None))
        else:
            self.in_doubt += len(answer["in_doubt"])
        until("the run ends", lambda: self.has_ended(run["run_id"]))

    def has_ended(self, run):
        status, answer = self.owner.get(f"/v1/runs/{run}")
        assert status == 200, answer
        return answer["state"] == "completed"

    def violations(self, entries):
        mine = [e["receivedNs"] for e in entries if e["tenant"] == self.tenant["entra_tenant_id"]]
        return sum(
            1 for begin, end in self.quiet for at in mine if at > begin and (end is None or at < end))


def race(kind, seconds, kills, demo, choice):
    """Runs the race. Returns what was counted."""
    since = (journal() or [{"seq": 0}])[-1]["seq"]
    settings = {"TEST_CONSUMER": kind, "WORKER_LEASE_SECONDS": 2, "CALL_SECONDS": 3, "LOG_LEVEL": "warning"}
    consumers = [Consumer(**settings).start() for _ in range(CONSUMERS)]
    owner = Starter(next(user["token"] for user in demo["users"] if user["role"] == "owner"))
    caller = next(user for user in demo["users"] if user["name"] == "ticket-system")
    end = time.monotonic() + seconds
    lanes = [Lane(tenant, owner, caller, choice, end) for tenant in demo["tenants"]]
    for lane in lanes:
        lane.start()
    killed = 0
    while kills and time.monotonic() < end:
        target = sum(len(lane.latencies) for lane in lanes) + choice.randrange(1, REVOKES_BETWEEN)
        until("some revokes more", lambda: sum(len(lane.latencies) for lane in lanes) >= target
              or time.monotonic() >= end or not any(lane.is_alive() for lane in lanes))
        victim = choice.choice(consumers)
        victim.kill()
        killed += 1
        victim.start()
    for lane in lanes:
        lane.join()
    for consumer in consumers:
        consumer.stop()
    for lane in lanes:
        if lane.failure:
            raise lane.failure
    entries = journal(since)
    latencies = sorted(latency for lane in lanes for latency in lane.latencies)
    return {
        "calls": len(entries),
        "revokes": len(latencies),
        "answered 200": sum(len(lane.quiet) for lane in lanes),
        "answered 202": len(latencies) - sum(len(lane.quiet) for lane in lanes),
        "calls in doubt": sum(lane.in_doubt for lane in lanes),
        "kill -9": killed,
        "revoke p50 ms": round(latencies[len(latencies) // 2] * 1000, 1),
        "revoke p99 ms": round(latencies[int(len(latencies) * 0.99)] * 1000, 1),
        "calls after an answer of 200": sum(lane.violations(entries) for lane in lanes),
    }


def main():
    with open(os.environ["DEMO_DATA"]) as file:
        demo = json.load(file)
    choice = seeded()
    checked = race("caller", SECONDS, True, demo, choice)
    print("with the permit check:   ", json.dumps(checked), flush=True)
    control = race("unchecked", CONTROL_SECONDS, False, demo, choice)
    print("without it (control):    ", json.dumps(control), flush=True)
    claims = [
        ("no call after an answer of 200", checked["calls after an answer of 200"] == 0),
        ("the race had substance (calls, answers, kills)",
         checked["calls"] > 1000 and checked["answered 200"] > 50 and checked["kill -9"] > 5),
        ("without the check there are such calls", control["calls after an answer of 200"] > 0),
    ]
    for claim, holds in claims:
        print(("ok   " if holds else "FAIL ") + claim)
    print(f"{sum(holds for _, holds in claims)} passed, {sum(not holds for _, holds in claims)} failed")
    sys.exit(not all(holds for _, holds in claims))


main()
