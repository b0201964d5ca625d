"""Gives schemathesis ids of things that there are: of its own it would find none. See ../http-contract.sh."""

import atexit
import collections
import json
import os
import re
import zlib

import schemathesis

with open(os.environ["IDS"]) as file:
    KNOWN = json.load(file)
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Which things a member or parameter names.
NAMES = {"provider_connection_id": "provider-connections", "tenant_id": "tenants", "user_id": "users", "run_id": "runs",
         "webhook_id": "webhooks", "actor_id": "users"}


def known(value, kind):
    """In most cases an id that there is in the place of one that was made up; what is no id stays as it is.

    Never the caller or a token in use: disabled, without access or revoked, only 401 and 403 would be seen from then
    on."""
    if not isinstance(value, str) or not UUID.fullmatch(value):
        return value
    ids = KNOWN["ids"].get(kind, [])
    choice = zlib.crc32(value.encode()) % (len(ids) + 1)
    if choice < len(ids):
        return ids[choice]
    return "00000000-0000-4000-8000-000000000000" if value in KNOWN["never"] else value


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.path_parameters and "id" in case.path_parameters:
        parts = case.operation.path.split("/")
        kind = f"{parts[2]}/{parts[-1]}"
        case.path_parameters["id"] = known(case.path_parameters["id"], kind if kind in KNOWN["ids"] else parts[2])
    # The revision that a connection begins with: of those made up none would ever be the right one.
    if case.headers and re.fullmatch(r'"[1-9][0-9]*"', str(case.headers.get("If-Match"))):
        case.headers["If-Match"] = '"1"'
    for values in (case.query, case.body):
        if isinstance(values, dict):
            for name in NAMES.keys() & values.keys():
                values[name] = known(values[name], NAMES[name])
    body = case.body
    if isinstance(body, dict) and body.get("scope") in ("workspace", "tenant", "connection"):
        if body["scope"] == "workspace" and isinstance(body.get("id"), str) and UUID.fullmatch(body["id"]):
            body["id"] = KNOWN["workspace"]
        else:
            body["id"] = known(body.get("id"), "tenants" if body["scope"] == "tenant" else "provider-connections")


# How often which operation was answered by which status.
ANSWERS = collections.defaultdict(collections.Counter)


@schemathesis.hook
def after_call(context, case, response):
    # What was sent by another method than the description has is no answer of the operation.
    if case.method.lower() == case.operation.method.lower():
        ANSWERS[case.operation.label][str(response.status_code)] += 1


@atexit.register
def keep():
    with open(os.environ["ANSWERS"], "w") as file:
        json.dump(ANSWERS, file)
