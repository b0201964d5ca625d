"""Whether the figures that are named are there, and true. See ../figures.sh."""

import json
import os
import re
import subprocess
import sys
import urllib.request

from system import Consumer, Starter, until

COMPOSE = sys.argv[1]
# What names figures, and the prefixes of theirs.
FILES = ["alerts.yaml", "keda.yaml", "scaling.md"]
NAME = re.compile(r"\b(?:tenantatlas|rabbitmq|process)_[a-z][a-z_]*[a-z]\b(?!\.)")
# Words of that shape that are no figures.
OTHERS = {"rabbitmq_prometheus"}
CHECKS = []


def claim(what, holds, seen=""):
    CHECKS.append(bool(holds))
    print(f"{'✔' if holds else '✘'} {what}" + ("" if holds else f": {seen}"), flush=True)


def read(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def shown(texts):
    """The names of all figures, as their queries use them."""
    names = set()
    for text in texts:
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
            names |= {name, *(f"{name}_{part}" for part in ["bucket", "sum", "count"] if kind == "histogram")}
    return names


def value(text, sample):
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else None


def named(name):
    with open(f"{COMPOSE}/{name}") as file:
        return set(NAME.findall(file.read())) - OTHERS


def promtool(*arguments):
    result = subprocess.run(["promtool", *arguments], cwd=COMPOSE, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.returncode == 0, result.stdout


def main():
    with open(os.environ["DEMO_DATA"]) as file:
        demo = json.load(file)
    owner = Starter(next(user["token"] for user in demo["users"] if user["role"] == "owner"))
    starter = os.environ["STARTER_URL"]
    broker = os.environ["RABBITMQ_FIGURES_URL"]
    queued = 'tenantatlas_runs_queued{family="provider"}'
    oldest = 'tenantatlas_oldest_queued_run_age_seconds{family="provider"}'

    for tenant in demo["tenants"]:
        status, answer = owner.post("/v1/runs", {
            "operation": "provider.connection.check", "provider_connection_id": tenant["connection_id"]})
        assert status == 202, answer
    count = len(demo["tenants"])
    until("the queued runs are shown", lambda: value(read(f"{starter}/metrics"), queued) == count)
    until("they grow old", lambda: (value(read(f"{starter}/metrics"), oldest) or 0) > 2)
    text = read(f"{starter}/metrics")
    claim(f"{count} queued runs are shown, of their family only", value(text, queued) == count and value(
        text, 'tenantatlas_runs_queued{family="inventory"}') == 0, text)
    claim("none is running or waiting, and no message is late", [value(text, sample) for sample in [
        'tenantatlas_runs_running{family="provider"}', 'tenantatlas_runs_waiting{family="provider"}',
        "tenantatlas_outbox_overdue_messages"]] == [0, 0, 0], text)
    consumer = Consumer("ProviderConsumer").start()
    until("nothing is queued any more", lambda: value(read(f"{starter}/metrics"), queued) == 0)
    text = read(f"{starter}/metrics")
    claim("when they have ended, nothing is queued or old", value(text, oldest) == 0, text)

    texts = [read(f"{url}/metrics") for url in os.environ["SERVICES"].split()]
    texts += [read(f"http://127.0.0.1:{consumer.port}/metrics"), read(f"{broker}/metrics"),
              read(f"{broker}/metrics/detailed?family=queue_coarse_metrics")]
    claim("each service shows whether it is ready", all(
        value(text, 'tenantatlas_ready{check="database"}') == 1 for text in texts[:3]))
    claim("the broker's figures are by queue", value(
        texts[-1], 'rabbitmq_detailed_queue_messages_ready{vhost="/",queue="jobs.provider"}') == 0, texts[-1][:2000])
    names = shown(texts)
    for name in FILES:
        figures = named(name)
        claim(f"{name}: each of the {len(figures)} figures that it names is shown",
              len(figures) >= 4 and figures <= names, sorted(figures - names))
    claim("a figure that nobody shows is found", not {"tenantatlas_planted_total"} <= names)
    consumer.stop()

    claim("Prometheus takes the alert rules", *promtool("check", "rules", "alerts.yaml"))
    claim("and they fire when they should", *promtool("test", "rules", "alerts.test.yaml"))
    with open(f"{COMPOSE}/alerts.yaml") as file:
        links = re.findall(r"runbook: cluster\.md#(\S+)", file.read())
    with open(f"{COMPOSE}/cluster.md") as file:
        headings = {heading.lower() for heading in re.findall(r"^#+ (TenantAtlas\w+)$", file.read(), re.MULTILINE)}
    claim(f"each of the {len(links)} rules has its place in the runbook", len(links) > 10 and set(links) == headings,
          set(links) ^ headings)
    passed = sum(CHECKS)
    print(f"{passed} passed, {len(CHECKS) - passed} failed")
    sys.exit(0 if all(CHECKS) else 1)


main()
