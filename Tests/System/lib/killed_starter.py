"""Starts while the starter is killed again and again. See ../killed-starter.sh."""

import http.client
import itertools
import json
import os
import sys
import threading
import urllib.error
import urllib.request

import pika

from system import Consumer, rows, seeded, until

KILLS = 25
CHECKS = []


def claim(what, holds, seen=""):
    CHECKS.append(bool(holds))
    print(f"{'✔' if holds else '✘'} {what}" + ("" if holds else f": {seen}"), flush=True)


class Starters:
    """One starter after the other, each on a port of its own."""

    def __init__(self):
        self.process = Consumer(
            "Starter", FAMILIES="provider", RATE_LIMIT_PER_SECOND=0, OUTBOX_LEASE_SECONDS=1, REMINDER_SECONDS=3600,
            LOG_LEVEL="warning")
        self.next()

    def next(self):
        self.process.start()
        self.url = f"http://127.0.0.1:{self.process.port}"


def begin(starters, token, connection, number, answered, stop):
    """Starts a check on the connection again and again, with a key each, until each is answered."""
    body = json.dumps({"operation": "provider.connection.check", "provider_connection_id": connection}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def answer(key):
        """The run; None while nobody answers: it was killed, and the same is asked again with the same key."""
        request = urllib.request.Request(
            f"{starters.url}/v1/runs", data=body, method="POST", headers=headers | {"Idempotency-Key": key})
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:
                return json.loads(reply.read())["run_id"]
        except urllib.error.HTTPError as refusal:
            if refusal.code < 500:
                raise
        except (OSError, http.client.HTTPException, ValueError):
            pass
        return None

    for attempt in itertools.count(1):
        if stop.is_set():
            return
        key = f"{number}-{attempt}"
        answered[key] = until(f"start {key} is answered", lambda: answer(key))


def main():
    choice = seeded()
    with open(os.environ["DEMO_DATA"]) as file:
        data = json.load(file)
    token = next(user["token"] for user in data["users"] if user["name"] == "Nadia Brandt")
    starters, answered, stop = Starters(), {}, threading.Event()
    threads = [
        threading.Thread(target=begin, args=(starters, token, tenant["connection_id"], number, answered, stop))
        for number, tenant in enumerate(data["tenants"])]
    for thread in threads:
        thread.start()
    for kill in range(KILLS):
        before = len(answered)
        until("starts are answered", lambda: len(answered) > before + choice.randrange(12))
        starters.process.kill()
        starters.next()
    stop.set()
    for thread in threads:
        thread.join()

    until("every run ends", lambda: rows("SELECT count(*) AS c FROM runs WHERE completed_at IS NULL")[0]["c"] == 0)
    runs = {row["id"]: row for row in rows("SELECT id, outcome, attempt FROM runs")}
    claim(f"{KILLS} kills among {len(answered)} answered starts: each has its run",
          len(answered) > KILLS and set(answered.values()) <= set(runs), set(answered.values()) - set(runs))
    claim("each run succeeded", {run["outcome"] for run in runs.values()} == {"succeeded"},
          [run for run in runs.values() if run["outcome"] != "succeeded"][:5])
    keys = rows("SELECT key, count(*) AS c FROM start_keys GROUP BY key HAVING count(*) > 1")
    claim("no key has two runs", not keys, keys)
    begun = rows("SELECT run_id FROM audit WHERE action = 'run.began' GROUP BY run_id HAVING count(*) > 1")
    claim("no run was executed twice", not begun, begun)
    until("the outbox is empty", lambda: rows("SELECT count(*) AS c FROM outbox WHERE route LIKE 'jobs%'")[0]["c"] == 0)
    claim("every job was published", True)
    connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
    dead = connection.channel().queue_declare("jobs.provider.dead", passive=True).method.message_count
    connection.close()
    claim("no job was of a run that there is not", dead == 0, dead)
    starters.process.stop()
    passed = sum(CHECKS)
    print(f"{passed} passed, {len(CHECKS) - passed} failed")
    sys.exit(0 if all(CHECKS) else 1)


main()
