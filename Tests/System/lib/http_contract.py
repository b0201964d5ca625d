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
EXAMPLES, SEED = 40, 20261121
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
        self.token = next(user["token"] for user in data["users"] if user["role"] == "owner")
        self.owner = Starter(self.token)
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

    def fill(self):
        """Webhooks that lead nowhere, schedules, two backups, runs in every state, and deliveries of their ends."""
        self.put("/v1/me/email", {"address": "owner@example.com", "enabled": True})
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
        assert inventory.stop() == 0
        # Without a consumer, what is queued stays queued.
        cancelled = [self.start("provider.connection.check", tenant) for tenant in ("Fabrikam", "Woodgrove Bank")]
        for run in cancelled:
            self.made(f"/v1/runs/{run}/cancel", {})
        queued = [self.start("provider.connection.check", "Contoso")]
        deliveries = until("deliveries", lambda: self.owner.get("/v1/deliveries")[1]["deliveries"])
        _, me = self.owner.get("/v1/me")
        self.me, self.workspace = me["user"]["user_id"], me["user"]["workspace_id"]
        _, users = self.owner.get("/v1/users")
        _, tenants = self.owner.get("/v1/tenants")
        self.ids = {
            "runs": backups + cancelled + queued, "schedules": schedules, "webhooks": webhooks, "backups": backups,
            "deliveries": [delivery["delivery_id"] for delivery in deliveries[:5]],
            "users": [user["id"] for user in users["users"] if user["id"] != self.me],
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


# The routes

def allowed(world, template):
    """What the running API says that may be done at a path: a method that there is nowhere is answered by those."""
    request = urllib.request.Request(
        world.owner.base + template.replace("{id}", str(uuid.uuid4())), method="PATCH",
        headers={"Authorization": f"Bearer {world.token}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return {f"answered {answer.status}"}
    except urllib.error.HTTPError as refusal:
        if refusal.code != 405:
            return {f"answered {refusal.code}"}
        return {method.strip().lower() for method in refusal.headers["Allow"].split(",")}


def routes(world, document):
    """The compiler sees to it that each route has a template: so these are all paths that there are."""
    source = (ROOT / "Services/Starter/Route.swift").read_text()
    served = set(re.findall(r'^ +case \.[^:]+: "(/v1/[^"]*)"$', source, re.MULTILINE))
    described = set(document["paths"])
    claim(f"openapi.json has each of the {len(served)} paths of the API, and no other", served and served == described,
          served ^ described)
    wrong = {}
    for path in sorted(served & described):
        methods = {method for method in document["paths"][path] if method in METHODS}
        answered = allowed(world, path)
        if methods != answered:
            wrong[path] = (sorted(methods), sorted(answered))
    claim("and of each path the methods that the running API allows", not wrong, wrong)


# Every operation, by a program that knows nothing of us

def schemathesis(world, document):
    reports = pathlib.Path(os.environ["REPORTS"])
    reports.mkdir(exist_ok=True)
    (reports / "ids.json").write_text(json.dumps({"ids": world.ids, "me": world.me, "workspace": world.workspace}))
    lib = ROOT / "Tests/System/lib"
    environment = os.environ | {"OWNER_TOKEN": world.token, "IDS": str(reports / "ids.json"), "PYTHONPATH": str(lib),
                                "ANSWERS": str(reports / "answers.json")}
    junit = reports / "junit.xml"
    command = [
        os.environ["VALIDATORS"] + "/bin/schemathesis", "--config-file", str(lib / "schemathesis.toml"), "run",
        str(SPECS / "openapi.json"), "--url", world.owner.base, "--max-examples", str(EXAMPLES), "--seed", str(SEED),
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
            name = f"{method.upper()} {path}"
            claim(f"{name} answers as it is described (schemathesis)", name in seen and name not in bad,
                  "see above" if name in bad else "not tried")
    answers = json.loads((reports / "answers.json").read_text())
    # A description that is only ever refused is not shown to be true.
    refused = [name for name, statuses in answers.items() if not any(status < "300" for status in statuses)]
    claim(f"each of {len(answers)} operations succeeded in between", answers and not refused, refused)
    total = {}
    for statuses in answers.values():
        for status, count in statuses.items():
            total[status] = total.get(status, 0) + count
    claim(f"answers by status: {dict(sorted(total.items()))}", {"200", "401", "404", "422"} <= total.keys(), total)
    claim("schemathesis reports nothing", result.returncode == 0, f"exit code {result.returncode}")


def main():
    document = json.loads((SPECS / "openapi.json").read_text())
    descriptions()
    world = World()
    world.fill()
    routes(world, document)
    schemathesis(world, document)
    status, me = world.owner.get("/v1/me")
    claim("the API still answers", status == 200, me)
    passed = sum(CHECKS)
    print(f"{passed} passed, {len(CHECKS) - passed} failed")
    sys.exit(0 if all(CHECKS) else 1)


main()
