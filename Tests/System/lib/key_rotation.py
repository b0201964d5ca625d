"""Runs while the key of all credentials changes. See ../key-rotation.sh."""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid

from system import Consumer, call, rows, sandbox, until

CONNECTIONS = 40
CONSUMERS = 3
# How often the credentials are sealed to the new key, and in between back to the old one, while consumers have both.
SWEEPS = 5
# Ended runs between two steps.
RUNS_BETWEEN = 12
LEAST_RUNS = 400
CHECKS = []
SECRETS = pathlib.Path(os.environ["SECRETS"])


def claim(what, holds, seen=""):
    CHECKS.append(bool(holds))
    print(f"{'✔' if holds else '✘'} {what}" + ("" if holds else f": {seen}"), flush=True)


def atlas(*arguments, **settings):
    """The operator's command; returns what it says in JSON. By 1 it ends when something is refused, which it says."""
    done = subprocess.run([f"{os.environ['BIN']}/atlas", *arguments, "--json"], env=os.environ | settings,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode in (0, 1) and done.stdout, (arguments, done.stderr)
    return json.loads(done.stdout)


class Key:
    """A key pair in files."""

    def __init__(self, private, public):
        self.private, self.public = str(private), str(public)

    @staticmethod
    def new(name):
        key = Key(SECRETS / f"{name}-private", SECRETS / f"{name}-public")
        key.id = atlas("keys", "generate", "--private-key", key.private, "--public-key", key.public)["key_id"]
        return key


def seal_anew(to, *old):
    """What `atlas credentials reseal` says."""
    return atlas("credentials", "reseal", DATABASE_URL=os.environ["OWNER_DATABASE_URL"],
                 CREDENTIAL_PUBLIC_KEY_FILE=to.public, CREDENTIAL_PRIVATE_KEY_FILE=together(*old))


def together(*keys):
    """A file with the private keys, one a line."""
    path = SECRETS / f"keys-{uuid.uuid4()}"
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.writelines(pathlib.Path(key.private).read_text().strip() + "\n" for key in keys)
    return str(path)


class Stack:
    """A starter and consumers. Whoever is replaced is asked to stop when the next one is ready."""

    def __init__(self, token):
        self.token = token
        self.starter, self.consumers = None, [None] * CONSUMERS

    def seal_to(self, key):
        before = self.starter
        self.starter = self.ready(Consumer(
            "Starter", FAMILIES="provider", RATE_LIMIT_PER_SECOND=0, CREDENTIAL_PUBLIC_KEY_FILE=key.public,
            LOG_LEVEL="warning"))
        self.stop(before)

    def open_with(self, *keys):
        for number, before in enumerate(self.consumers):
            self.consumers[number] = self.ready(Consumer(
                "ProviderConsumer",
                CREDENTIAL_PRIVATE_KEY_FILE=together(*keys), WORKER_LEASE_SECONDS=5, LOG_LEVEL="warning"))
            self.stop(before)

    @staticmethod
    def ready(service):
        service.start()

        def look():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/readyz", timeout=2) as answer:
                    return answer.status == 200
            except OSError:
                return False
        until(f"{service.executable} is ready", look)
        return service

    @staticmethod
    def stop(service):
        if service:
            code = service.stop()
            assert code == 0, f"{service.executable} ended with {code}"

    def ask(self, method, path, body=None):
        return call(method, f"http://127.0.0.1:{self.starter.port}{path}", self.token, body)

    def stop_all(self):
        for service in [self.starter, *self.consumers]:
            self.stop(service)


class Load(threading.Thread):
    """Starts a check on every connection that has nothing to do, and sets a credential anew now and then."""

    def __init__(self, stack, secrets):
        super().__init__()
        self.stack, self.secrets = stack, secrets
        self.over, self.failure, self.sets = threading.Event(), None, 0

    def run(self):
        try:
            turns = itertools.cycle(self.secrets)
            while not self.over.is_set():
                self.start_all()
                self.set_anew(next(turns))
        except Exception as failure:  # a thread's failure is the test's
            self.failure = failure

    def start_all(self):
        busy = {row["connection_id"] for row in rows("SELECT connection_id FROM runs WHERE completed_at IS NULL")}
        for connection in self.secrets.keys() - busy:
            answer = self.ask("POST", "/v1/runs", {
                "operation": "provider.connection.check", "provider_connection_id": connection})
            assert answer is None or answer[0] in (200, 202), answer

    def set_anew(self, connection):
        """The same secret: whoever reads the version before must not be hurt."""
        answer = self.ask("PUT", f"/v1/provider-connections/{connection}/credential", {
            "kind": "secret", "client_secret": self.secrets[connection]})
        assert answer is None or answer[0] in (200, 201), answer
        self.sets += answer is not None

    def ask(self, *request):
        """None while the starter changes: it is asked again in the next turn."""
        try:
            return self.stack.ask(*request)
        except OSError:
            return None

    def stop(self):
        self.over.set()
        self.join()
        if self.failure:
            raise self.failure


def ended():
    return rows("SELECT count(*) AS c FROM runs WHERE completed_at IS NOT NULL")[0]["c"]


def more_runs(load, count=RUNS_BETWEEN):
    target = ended() + count
    until("more runs end", lambda: ended() >= target or load.failure)


def each_once_more(load):
    """A run on each connection that was begun after now."""
    since = rows("SELECT clock_timestamp() AS now")[0]["now"]
    until("each connection has another run", lambda: load.failure or rows(
        f"SELECT count(DISTINCT connection_id) AS c FROM runs WHERE started_at > '{since}'"
        " AND completed_at IS NOT NULL")[0]["c"] == CONNECTIONS, limit=120)


def connect(stack, tenants):
    """As many connections as wanted, each to a directory of its own. Returns their secrets."""
    secrets = {}
    for number in range(CONNECTIONS):
        directory, client, secret = str(uuid.uuid4()), str(uuid.uuid4()), f"first~{uuid.uuid4()}"
        sandbox("POST", "/tenants", {
            "id": directory, "devices": 1, "app": {"clientId": client, "clientSecret": secret, "roles": [
                "Organization.Read.All", "DeviceManagementManagedDevices.Read.All",
                "DeviceManagementConfiguration.Read.All", "DeviceManagementApps.Read.All", "Application.Read.All"]}})
        tenant = tenants[number % len(tenants)]["id"]
        status, made = stack.ask("POST", f"/v1/tenants/{tenant}/provider-connections", {
            "display_name": f"Connection {number}", "cloud": "sandbox", "entra_tenant_id": directory,
            "entra_tenant_name": "x", "client_id": client})
        assert status == 201, made
        secrets[made["provider_connection_id"]] = secret
        status, answer = stack.ask("PUT", f"/v1/provider-connections/{made['provider_connection_id']}/credential",
                                   {"kind": "secret", "client_secret": secret})
        assert status == 201, answer
    return secrets


def keys_in_use():
    return {row["key_id"]: row["c"] for row in rows(
        "SELECT key_id, count(*) AS c FROM provider_credentials GROUP BY key_id")}


def rotate(stack, load, old, new, number):
    stack.open_with(old, new)
    stack.seal_to(new)
    sweeps = []
    for to in ([new, old] * SWEEPS)[:-1]:
        sweeps.append(seal_anew(to, old, new))
        more_runs(load)
    refused = [refusal for sweep in sweeps for refusal in sweep["refused"]]
    claim(f"rotation {number}: in {len(sweeps)} sweeps among runs, every credential could be opened", not refused,
          f"{len(refused)}: {refused[:1]}")
    stored = keys_in_use()
    claim("everything is sealed to the new key", set(stored) == {new.id}, stored)
    moved = sum(sweep["resealed"] for sweep in sweeps)
    claim("the sweeps had substance", moved > CONNECTIONS * SWEEPS, moved)
    stack.open_with(new)
    each_once_more(load)
    claim(f"rotation {number}: without the old key, every connection has another run", not load.failure, load.failure)


def race(stack, demo):
    """Runs and rotations. Returns the load that there was, and the newest key."""
    first = Key(os.environ["FIRST_KEY"], os.environ["FIRST_PUBLIC_KEY"])
    stack.seal_to(first)
    stack.open_with(first)
    load = Load(stack, connect(stack, demo["tenants"]))
    load.start()
    try:
        more_runs(load, CONNECTIONS)
        second, third = Key.new("second"), Key.new("third")
        rotate(stack, load, first, second, 1)
        rotate(stack, load, second, third, 2)
        until("enough runs", lambda: load.failure or ended() >= LEAST_RUNS, limit=300)
    finally:
        load.stop()
    until("every run ends", lambda: rows("SELECT count(*) AS c FROM runs WHERE completed_at IS NULL")[0]["c"] == 0)
    return load, third


def main():
    with open(os.environ["DEMO_DATA"]) as file:
        demo = json.load(file)
    stack = Stack(next(user["token"] for user in demo["users"] if user["role"] == "owner"))
    try:
        load, newest = race(stack, demo)
    finally:
        stack.stop_all()
    outcomes = {row["outcome"]: row["c"] for row in rows(
        "SELECT coalesce(outcome || ' ' || reason_code, outcome) AS outcome, count(*) AS c FROM runs GROUP BY 1")}
    total = sum(outcomes.values())
    claim(f"{total} runs on {CONNECTIONS} connections and {CONSUMERS} consumers: none failed",
          set(outcomes) == {"succeeded"} and total >= LEAST_RUNS, outcomes)
    stored = keys_in_use()
    claim("at the end every credential is sealed to the newest key",
          stored == {newest.id: CONNECTIONS + len(demo["tenants"])}, stored)
    claim(f"meanwhile {load.sets} credentials were set anew", load.sets > CONNECTIONS / 2, load.sets)
    print(f"{sum(CHECKS)} passed, {len(CHECKS) - sum(CHECKS)} failed")
    sys.exit(0 if all(CHECKS) else 1)


main()
