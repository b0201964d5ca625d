"""The HTTP API and its description. See ../http-contract.sh."""

import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
import xml.etree.ElementTree

import jsonschema
import referencing
import referencing.exceptions
import yaml
from asyncapi_python_codegen.parser import extract_all_operations

from system import Consumer, Starter, call, until

CHECKS = []
ROOT = pathlib.Path(os.environ["ROOT"])
SPECS = ROOT / "specs"
# What each operation gets, and the choices that are made: a failure can be repeated.
EXAMPLES, READER_EXAMPLES, SEED = 30, 10, 20261121
METHODS = ("get", "put", "post", "delete", "patch")


def claim(what, holds, seen=""):
    """A claim that is printed with what became of it."""
    CHECKS.append(bool(holds))
    print(f"{'✔' if holds else '✘'} {what}" + ("" if holds else f": {seen}"), flush=True)


# What there is to be asked for

class World:
    """The demo data, and something of each kind that the API shows."""

    def __init__(self):
        with open(os.environ["DEMO_DATA"]) as file:
            data = json.load(file)
        self.token, self.reader = (
            next(user["token"] for user in data["users"] if user["role"] == role) for role in ("owner", "readonly"))
        self.owner = Starter(self.token)
        self.operator = next(user for user in data["users"] if user["role"] == "operator")
        self.connections = {tenant["name"]: tenant["connection_id"] for tenant in data["tenants"]}
        self.ids = {}

    def made(self, path, body):
        status, answer = self.owner.post(path, body)
        assert status in (200, 201, 202), (path, answer)
        return answer

    def put(self, path, body):
        status, answer = call("PUT", self.owner.base + path, self.token, body)
        assert status == 200, (path, answer)

    def ended(self, run):
        def look():
            _, answer = self.owner.get(f"/v1/runs/{run}")
            return answer["state"] == "completed"
        until(f"run {run} ends", look)

    def start(self, operation, tenant, **more):
        return self.made("/v1/runs", {
            "operation": operation, "provider_connection_id": self.connections[tenant]} | more)["run_id"]

    def dead_letters(self, count):
        """What a person started who is disabled when it is taken up: it is refused for good."""
        operator, runs = Starter(self.operator["token"]), []
        for connection in list(self.connections.values())[:count]:
            status, answer = operator.post("/v1/runs", {
                "operation": "provider.connection.check", "provider_connection_id": connection})
            assert status == 202, answer
            runs.append(answer["run_id"])
        self.made(f"/v1/users/{self.operator['id']}/disable", {})
        consumer = Consumer("ProviderConsumer").start()
        for run in runs:
            self.ended(run)
        assert consumer.stop() == 0
        status, answer = self.owner.post(f"/v1/users/{self.operator['id']}/enable")
        assert status == 204, answer

        def look():
            letters = self.owner.get("/v1/dead-letters")[1]["dead_letters"]
            return letters if len(letters) == count else None
        return [letter["dead_letter_id"] for letter in until("dead letters", look)]

    def fill(self):
        """Webhooks that lead nowhere, schedules, two backups, an inventory, runs in every state, and deliveries of their ends."""
        self.put("/v1/me/email", {"address": "owner@example.com", "enabled": True})
        letters = self.dead_letters(6)
        views = [self.made("/v1/views", {"name": f"view {number}", "query": "outcome:blocked"})["view_id"]
                 for number in range(3)]
        # Those in use: the demo data's.
        used = [token["token_id"] for token in self.owner.get("/v1/tokens?limit=200")[1]["tokens"]]
        tokens = [self.made("/v1/tokens", {"label": f"token {number}"})["token_id"] for number in range(4)]
        webhooks = [self.made("/v1/webhooks", {
            "url": "http://127.0.0.1:9/hook", "label": f"nobody {number}", "signing": signing})["webhook_id"]
            for number, signing in enumerate(["hmac_sha256", "ed25519", "hmac_sha256"])]
        schedules = [self.made("/v1/schedules", {
            "operation": "inventory.sync", "provider_connection_id": connection, "cron": f"{number} 3 * * *",
            "time_zone": "Europe/Zurich", "run_as": "me"})["schedule_id"]
            for number, connection in enumerate(self.connections.values())]
        inventory = Consumer("InventoryConsumer").start()
        backups = [self.start("backup.run", tenant) for tenant in ("Tailspin Toys", "Litware")]
        for run in backups:
            self.ended(run)
        # Its groups can be looked for.
        self.ended(self.start("inventory.sync", "Litware"))
        assert inventory.stop() == 0
        # Without a consumer, what is queued stays queued.
        cancelled, queued = [], []
        for tenant in ("Contoso", "Fabrikam", "Woodgrove Bank", "Tailspin Toys"):
            for _ in range(2):
                cancelled.append(self.start("provider.connection.check", tenant))
                self.made(f"/v1/runs/{cancelled[-1]}/cancel", {})
            queued.append(self.start("provider.connection.check", tenant))
        deliveries = until("deliveries", lambda: self.owner.get("/v1/deliveries")[1]["deliveries"])
        _, me = self.owner.get("/v1/me")
        caller, self.workspace = me["user"]["user_id"], me["user"]["workspace_id"]
        self.never = used + [caller]
        _, users = self.owner.get("/v1/users")
        _, tenants = self.owner.get("/v1/tenants")
        self.ids = {
            "runs": backups + cancelled + queued, "runs/cancel": queued, "schedules": schedules, "webhooks": webhooks, "backups": backups,
            "deliveries": [delivery["delivery_id"] for delivery in deliveries[:5]],
            "tokens": tokens, "views": views,
            # One that was put back or dropped is gone in a moment.
            "dead-letters/redrive": letters[:3], "dead-letters/drop": letters[3:],
            "users": [user["id"] for user in users["users"] if user["id"] != caller],
            "tenants": [tenant["tenant_id"] for tenant in tenants["tenants"]],
            "provider-connections": list(self.connections.values()),
        }


# The descriptions themselves

def descriptions():
    """Validators that are not ours look at both files."""
    result = subprocess.run([os.environ["VALIDATORS"] + "/bin/openapi-spec-validator", str(SPECS / "openapi.json")],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    claim("openapi.json is valid OpenAPI 3.1 (openapi-spec-validator)", result.returncode == 0, result.stdout)
    schemas = sorted(SPECS.glob("**/*.schema.json"))
    for schema in schemas:
        jsonschema.Draft202012Validator.check_schema(json.loads(schema.read_text()))
    claim(f"{len(schemas)} schemas are valid JSON Schema 2020-12 (jsonschema)", schemas)
    asyncapi = yaml.safe_load((SPECS / "asyncapi.yaml").read_text())
    broken, count = [], 0
    for reference in references(asyncapi):
        count += 1
        try:
            resolve(asyncapi, reference)
        except Exception as error:
            broken.append(f"{reference}: {error!r}")
    claim(f"asyncapi.yaml: each of {count} references leads somewhere", count and not broken, broken)
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(told):
            operations = set(extract_all_operations(SPECS / "asyncapi.yaml"))
    except Exception as error:
        operations = {repr(error)}
    claim("asyncapi.yaml is valid AsyncAPI 3 (asyncapi-python)", operations == set(asyncapi["operations"]),
          (operations, told.getvalue()))
    payloads = [message["payload"] for message in asyncapi["components"]["messages"].values()]
    loose = [payload for payload in payloads if not refuses(payload)]
    claim(f"asyncapi.yaml: each of {len(payloads)} payloads refuses what is no message (jsonschema)",
          payloads and not loose, loose)


def refuses(payload):
    """Whether it can be followed to its end, and refuses a text, which no message is."""
    registry = referencing.Registry(retrieve=lambda uri: referencing.Resource.from_contents(
        json.loads(pathlib.Path(uri.removeprefix("file://")).read_text())))
    here = {"$id": (SPECS / "asyncapi.yaml").as_uri(), "$schema": "https://json-schema.org/draft/2020-12/schema"}
    try:
        return not jsonschema.Draft202012Validator(here | payload, registry=registry).is_valid("tea")
    except referencing.exceptions.Unresolvable:
        return False


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def resolve(document, reference):
    """What a reference leads to, in the document or in a file beside it."""
    file, _, pointer = reference.partition("#")
    found = json.loads((SPECS / file).read_text()) if file else document
    for part in pointer.split("/")[1:]:
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


# The routes, the words, and what every operation has in common

def ask(world, method, path, body=None, base=None, **headers):
    """One request as it stands. Returns status, headers and bytes."""
    headers = {"Authorization": f"Bearer {world.token}", "Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request((base or world.owner.base) + path, method=method, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


def routes(world, document):
    """The compiler sees to it that each route has a template: so these are all paths that there are."""
    source = (ROOT / "Services/Starter/Route.swift").read_text()
    served = set(re.findall(r'^ +case \.[^:]+: "(/v1/[^"]*)"$', source, re.MULTILINE))
    described = set(document["paths"])
    claim(f"openapi.json has each of the {len(served)} paths of the API, and no other", served and served == described,
          served ^ described)
    wrong = {}
    for path in sorted(served & described):
        methods = {method.upper() for method in document["paths"][path] if method in METHODS}
        # A method that there is nowhere is answered by those that there are.
        status, headers, _ = ask(world, "LINK", path.replace("{id}", str(uuid.uuid4())))
        answered = set(headers.get("Allow", "").split(", "))
        if status != 405 or methods != answered:
            wrong[path] = (sorted(methods), status, sorted(answered))
    claim("and of each path the methods that the running API allows", not wrong, wrong)


# Lists of words that are an enumeration in the code, in Shared.
WORDS = {
    "RunState": "Operations/Run.swift", "RunOutcome": "Operations/Run.swift",
    "Operation": "Operations/OperationType.swift:OperationType", "Role": "Operations/Capability.swift",
    "Capability": "Operations/Capability.swift", "Operability": "Operations/AuthorityFacts.swift",
    "PolicyKind": "Operations/PolicyKind.swift", "AuditAction": "Operations/AuditRecord.swift",
    "ConnectionHealth": "Operations/ConnectionHealth.swift",
}


def words(document):
    wrong = {}
    for name, place in WORDS.items():
        file, _, type_name = place.partition(":")
        source = (ROOT / "Shared" / file).read_text()
        body = re.search(rf"enum {type_name or name}: String[^{{]*{{(.*?)\n *}}", source, re.DOTALL)[1]
        found = set()
        for line in re.findall(r"^ *case ([^.].*)$", body, re.MULTILINE):
            for case in line.split(", "):
                case, _, text = case.partition(" = ")
                found.add(text.strip('"') or case.strip("`"))
        if found != set(document["components"]["schemas"][name]["enum"]):
            wrong[name] = found ^ set(document["components"]["schemas"][name]["enum"])
    claim(f"each of {len(WORDS)} lists of words is the code's", not wrong, wrong)


def refusals(world):
    """What is refused before an operation is looked at is a problem document, too."""
    problem = jsonschema.Draft202012Validator(json.loads((SPECS / "schemas/problem.schema.json").read_text()))
    limited = Consumer("Starter", RATE_LIMIT_PER_SECOND=1, FAMILIES="provider").start()
    base = f"http://127.0.0.1:{limited.port}"
    until("the slow starter", lambda: ready(base))

    def hurried():
        answers = (ask(world, "GET", "/v1/me", base=base) for _ in range(100))
        return next((answer for answer in answers if answer[0] != 200), None)

    start = json.dumps({"operation": "provider.connection.check", "provider_connection_id": "x" * 70_000}).encode()
    cases = {
        "no token": (401, ask(world, "GET", "/v1/me", Authorization="Bearer no"), "WWW-Authenticate"),
        "a path that there is not": (404, ask(world, "GET", "/v1/nothing"), None),
        "a method that there is not": (405, ask(world, "PUT", "/v1/runs", b"{}"), "Allow"),
        "a body of more than 64 KiB": (413, ask(world, "POST", "/v1/runs", start), None),
        "an address of more than 4 KiB": (414, ask(world, "GET", "/v1/runs?cursor=" + "A" * 4_096), None),
        "a body that is not called JSON": (415, ask(world, "POST", "/v1/runs", b"{}", Content_Type="text/plain"), None),
        "headers of more than 16 KiB": (431, ask(world, "GET", "/v1/me", X_Long="a" * 16_384), None),
        "more requests than allowed": (429, hurried(), "Retry-After"),
    }
    for what, (expected, (status, headers, body), header) in cases.items():
        claim(f"{what}: {expected}, as a problem document" + (f", with {header}" if header else ""),
              status == expected and headers["Content-Type"] == "application/problem+json" and headers["X-Request-Id"]
              and problem.is_valid(json.loads(body)) and (header is None or headers[header]), (status, headers, body))
    limited.stop()


def ready(base):
    try:
        with urllib.request.urlopen(base + "/readyz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


# Every operation, by a program that knows nothing of us

def schemathesis(world, document, name, token, examples):
    """As the person of the token. Returns how often each operation was answered by which status."""
    reports = pathlib.Path(os.environ["REPORTS"]) / name
    reports.mkdir(parents=True)
    (reports / "ids.json").write_text(json.dumps(
        {"ids": world.ids, "never": world.never, "workspace": world.workspace}))
    lib = ROOT / "Tests/System/lib"
    environment = os.environ | {"TOKEN": token, "IDS": str(reports / "ids.json"), "PYTHONPATH": str(lib),
                                "ANSWERS": str(reports / "answers.json")}
    junit = reports / "junit.xml"
    command = [
        os.environ["VALIDATORS"] + "/bin/schemathesis", "--config-file", str(lib / "schemathesis.toml"), "run",
        str(SPECS / "openapi.json"), "--url", world.owner.base, "--max-examples", str(examples), "--seed", str(SEED),
        "--no-color", "--report", "junit", "--report-junit-path", str(junit)]
    with open(reports / "output.txt", "w+") as output:
        result = subprocess.run(command, env=environment, cwd=reports, stdout=output, stderr=subprocess.STDOUT)
        output.seek(0)
        text = output.read()
    print("\n".join(text.splitlines()[-25:] if result.returncode == 0 else text.splitlines()), flush=True)
    cases = list(xml.etree.ElementTree.parse(junit).iter("testcase")) if junit.exists() else []
    bad = {case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None}
    seen = {case.get("name") for case in cases}
    for path, item in document["paths"].items():
        for method in item:
            operation = f"{method.upper()} {path}"
            claim(f"as {name}: {operation} answers as it is described (schemathesis)",
                  operation in seen and operation not in bad, "see above" if operation in bad else "not tried")
    claim(f"as {name}: schemathesis reports nothing", result.returncode == 0, f"exit code {result.returncode}")
    answers = json.loads((reports / "answers.json").read_text())
    total = {}
    for statuses in answers.values():
        for status, count in statuses.items():
            total[status] = total.get(status, 0) + count
    print(f"answers by status: {dict(sorted(total.items()))}", flush=True)
    return answers, total


def operations(world, document):
    # First somebody who only reads, and is told 403 where an owner is served: the owner will change who may do what.
    answers, total = schemathesis(world, document, "reader", world.reader, READER_EXAMPLES)
    claim("a reader is told what is missing", total.get("403", 0) > 0, total)
    answers, total = schemathesis(world, document, "owner", world.token, EXAMPLES)
    # A description that is only ever refused is not shown to be true.
    refused = [name for name, statuses in answers.items() if not any(status < "300" for status in statuses)]
    claim(f"each of {len(answers)} operations succeeded in between", answers and not refused, refused)
    claim("refusals were seen, too", {"400", "401", "404", "409", "414", "415", "422"} <= total.keys(), total)


def main():
    document = json.loads((SPECS / "openapi.json").read_text())
    descriptions()
    world = World()
    world.fill()
    routes(world, document)
    words(document)
    refusals(world)
    operations(world, document)
    status, me = world.owner.get("/v1/me")
    claim("the API still answers", status == 200, me)
    passed = sum(CHECKS)
    print(f"{passed} passed, {len(CHECKS) - passed} failed")
    sys.exit(0 if all(CHECKS) else 1)


main()
