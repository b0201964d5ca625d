"""Asks for the console's pages as a person's browser does, one after the other, and tells how long they took."""

import http.client
import os
import re
import statistics
import time
import urllib.parse

URL = urllib.parse.urlsplit(os.environ["CONSOLE_URL"])
ROUNDS = 60


class Browser:
    def __init__(self):
        self.connection = http.client.HTTPConnection(URL.hostname, URL.port, timeout=300)
        self.cookie = ""

    def ask(self, method, path, form=None):
        headers = {"Cookie": self.cookie, "Origin": os.environ["CONSOLE_URL"]}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer, answer.read().decode()


def main():
    browser = Browser()
    answer, _ = browser.ask("POST", "/sign-in", {"login": "owner", "password": os.environ["CONSOLE_PASSWORD"]})
    browser.cookie = answer.headers["Set-Cookie"].split(";")[0]
    _, text = browser.ask("GET", "/admin/operations")
    runs = re.findall(r'href="(/admin/operations/[0-9a-f-]{36})"', text)

    def deep(query, pages=30):
        """The address of a page far down a list."""
        path = f"/admin/operations?q={urllib.parse.quote(query)}"
        for _ in range(pages):
            _, page = browser.ask("GET", path)
            path = re.search(r'href="([^"]+)" rel="next"', page).group(1).replace("&amp;", "&")
        return path

    pages = [("overview", "/admin"), ("run", runs[-1])]
    for query in ["", "state:running", "state:waiting", "outcome:blocked", "outcome:failed since:24h",
                  "outcome:blocked reason:capability_missing", 'tenant:"Tenant 17"', "type:policy.sync",
                  "type:restore.execute outcome:failed", "by:me", "by:system", "by:me outcome:blocked",
                  "outcome:succeeded since:7d", "reason:throttled", 'tenant:"Tenant 399" outcome:cancelled',
                  "type:policy.bulk_delete"]:
        pages.append((query or "all", f"/admin/operations?q={urllib.parse.quote(query)}"))
    pages += [("all, page 30", deep("")), ("blocked, page 30", deep("outcome:blocked"))]
    print(f"{'page':45} {'p50 ms':>8} {'p95 ms':>8} {'KB':>6}")
    for name, path in pages:
        times = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            answer, text = browser.ask("GET", path)
            times.append((time.perf_counter() - begin) * 1000)
            assert answer.status == 200, (path, answer.status)
        cuts = statistics.quantiles(times, n=20)
        print(f"{name:45} {cuts[9]:8.1f} {cuts[18]:8.1f} {len(text) / 1024:6.0f}", flush=True)
    show_plans()


def show_plans():
    """The plans of what took longer than 20 ms, without those of the same shape."""
    with open(os.environ["POSTGRES_LOG"]) as log:
        plans = re.findall(r"duration: ([0-9.]+) ms  plan:\n(.*?)(?=\n\d{4}-|\Z)", log.read(), re.S)
    shown = set()
    for duration, plan in sorted(plans, key=lambda plan: -float(plan[0])):
        shape = re.sub(r"[0-9.]+|'[^']*'", "", plan)
        if shape not in shown and len(shown) < 8:
            shown.add(shape)
            lines = [line for line in plan.splitlines() if "->" in line or "Index Cond" in line or "Filter" in line]
            print(f"\n{duration} ms")
            print("\n".join(line[:160] for line in lines[:24]))


if __name__ == "__main__":
    main()
