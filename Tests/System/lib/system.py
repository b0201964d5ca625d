"""What the system tests share: the API, the sandbox's journal, and consumers that can be killed."""

import json
import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request


def call(method, url, token, body=None, timeout=30):
    """One request. Returns (status, document); a refusal is an answer, not an error."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as refusal:
        text = refusal.read()
        return refusal.code, json.loads(text) if text else None


class Starter:
    """The Starter's API as one person."""

    def __init__(self, token):
        self.base = os.environ["STARTER_URL"]
        self.token = token

    def post(self, path, body=None):
        return call("POST", self.base + path, self.token, body or {})

    def get(self, path):
        return call("GET", self.base + path, self.token)


def journal(since=0):
    """All entries of the sandbox's journal after `since`."""
    entries = []
    while True:
        url = f"{os.environ['GRAPH_SANDBOX_URL']}/_sandbox/journal?since={since}&limit=100000"
        status, page = call("GET", url, os.environ["SANDBOX_CONTROL_TOKEN"], timeout=120)
        assert status == 200, page
        if not page["entries"]:
            return entries
        entries += page["entries"]
        since = page["next"]


def journal_end():
    """The number of the journal's newest entry."""
    return sandbox("GET", "/journal?limit=0")["last"]


def sandbox(method, path, body=None):
    """The sandbox's control surface; returns the answer's document."""
    url = f"{os.environ['GRAPH_SANDBOX_URL']}/_sandbox{path}"
    status, answer = call(method, url, os.environ["SANDBOX_CONTROL_TOKEN"], body)
    assert status < 300, answer
    return answer


def rows(query):
    """What the query finds, as the database's owner sees it: one document a row."""
    owner = urllib.parse.urlsplit(os.environ["OWNER_DATABASE_URL"])
    # The password travels in the environment: arguments can be seen by every user.
    place = {"PGHOST": owner.hostname, "PGPORT": str(owner.port), "PGUSER": owner.username,
             "PGPASSWORD": owner.password, "PGDATABASE": owner.path.strip("/")}
    text = subprocess.run(
        [f"{os.environ['POSTGRES_BIN']}/psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
         "--set", "ON_ERROR_STOP=1"],
        input=f"SELECT to_jsonb(found) FROM ({query}) AS found;", env=os.environ | place, text=True, check=True,
        stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in text.splitlines()]


def dead_letters_seen(queue, count):
    """Whether the starter's watch has seen so many dead letters of the queue, and holds none of them any more."""
    return bool(rows(f"SELECT queue FROM dead_letter_queues WHERE queue = '{queue}' AND depth = {count} "
                     "AND looked_at IS NOT NULL AND held_until IS NULL"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Whose login at the database a program has; what only tests start has the provider consumer's.
LOGINS = {"Starter": "starter", "InventoryConsumer": "inventory-consumer", "RestoreConsumer": "restore-consumer",
          "BulkConsumer": "bulk-consumer"}


def database_url(executable):
    service = LOGINS.get(executable, "provider-consumer")
    with open(f"{os.environ['STACK_SECRETS']}/database-url-{service}") as file:
        return file.read()


class Consumer:
    """A consumer process. It is ended by the pid that it was started with, and no other."""

    def __init__(self, executable="TestConsumer", **settings):
        self.executable = executable
        self.settings = {key: str(value) for key, value in settings.items()}
        self.process = None

    def start(self):
        self.port = free_port()
        own = {"DATABASE_URL": database_url(self.executable)}
        environment = os.environ | own | self.settings | {"HTTP_PORT": str(self.port), "HTTP_HOST": "127.0.0.1"}
        with open(f"{os.environ['LOGS']}/{self.executable}-{self.port}.log", "w") as log:
            self.process = subprocess.Popen(
                [f"{os.environ['BIN']}/{self.executable}"], env=environment, stdout=log, stderr=log)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


def until(what, look, limit=60):
    """Looks until there is something, at most `limit` seconds."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        value = look()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {limit} s")


def seeded():
    """A generator whose seed is printed: RACE_SEED repeats a run's choices."""
    seed = int(os.environ.get("RACE_SEED") or random.randrange(1 << 30))
    print(f"seed {seed}", flush=True)
    return random.Random(seed)
