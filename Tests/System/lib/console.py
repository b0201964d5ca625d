"""The console in a real browser. Each claim is printed with how it came out; the exit code tells whether all held."""

import json
import os
import re
import subprocess
import sys
import urllib.parse

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from system import Consumer, Starter, journal_end, rows, until

URL = os.environ["CONSOLE_URL"]
PASSWORD = os.environ["CONSOLE_PASSWORD"]
DEMO = json.load(open(os.environ["DEMO_DATA"]))
TENANTS = {tenant["name"]: tenant for tenant in DEMO["tenants"]}
USERS = {user["name"]: user for user in DEMO["users"]}
PICTURES = sys.argv[1] if len(sys.argv) > 1 else None

passed = failed = 0


def check(claim, holds, seen=""):
    global passed, failed
    if holds:
        passed += 1
        print(f"✔ {claim}", flush=True)
    else:
        failed += 1
        print(f"✘ {claim} {seen}", flush=True)


def change(statement):
    """Changes something as the database's owner."""
    owner = urllib.parse.urlsplit(os.environ["OWNER_DATABASE_URL"])
    place = {"PGHOST": owner.hostname, "PGPORT": str(owner.port), "PGUSER": owner.username,
             "PGPASSWORD": owner.password, "PGDATABASE": owner.path.strip("/")}
    subprocess.run([f"{os.environ['POSTGRES_BIN']}/psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"],
                   input=statement, env=os.environ | place, text=True, check=True)


def provider_consumer():
    return Consumer("ProviderConsumer", DATABASE_URL=os.environ["CONSUMER_DATABASE_URL"]).start()


def runs(where="true"):
    return rows(f"SELECT id, operation, state, outcome FROM runs WHERE {where} ORDER BY id")


def sign_in(page, login):
    page.goto(URL + "/sign-in")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.click("form button.primary")
    page.wait_for_url(URL + "/admin")


def connection(name):
    return f"{URL}/admin/provider-connections/{TENANTS[name]['connection_id']}"


def started(page):
    """The run that the acknowledgement on the page leads to."""
    return page.locator(".notice.good a", has_text="View run").get_attribute("href")


# ---- journeys --------------------------------------------------------------------------------------------------------

def signing_in(browser):
    page = browser.new_page()
    page.goto(URL + "/admin/operations?q=outcome:blocked")
    check("whoever is not signed in is asked who they are", "/sign-in" in page.url)
    page.fill("#login", "nadia")
    page.fill("#password", "not the password")
    page.click("form button.primary")
    check("a wrong password is told, and the login stays", page.locator("[role=alert]").count() == 1
          and page.input_value("#login") == "nadia")
    page.fill("#password", PASSWORD)
    page.click("form button.primary")
    check("and then it leads to where one wanted to go", page.url.endswith("/admin/operations?q=outcome:blocked"))
    page.context.close()


def organisation_sign_in(browser):
    def through(subject):
        page.goto(URL + "/admin/tenants")
        page.click("text=Sign in with your organisation")
        assert page.url.startswith(os.environ["OIDC_ISSUER"]), page.url
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query))
        page.fill("input[name=sub]", subject)
        page.locator("button[type=submit], input[type=submit]").first.click()
        return asked

    page = browser.new_page()
    asked = through("marcus-at-work")
    check("who is linked signs in with the organisation, and is led on", page.url == URL + "/admin/tenants"
          and page.locator(".person .name").inner_text() == "Marcus Lindqvist", page.url)
    check("the question is for this sign-in only (state, nonce, PKCE)",
          all(len(asked.get(name, "")) == 43 for name in ("state", "nonce", "code_challenge"))
          and asked["code_challenge_method"] == "S256" and asked["response_type"] == "code", asked)
    check("how it was proved stands in the audit",
          rows("SELECT details->>'proof' AS proof FROM audit WHERE action = 'session.began' ORDER BY id DESC LIMIT 1")
          == [{"proof": "openid"}])
    page.context.close()
    page = browser.new_page()
    through("unlinked")
    check("who is not linked is told whom to ask for what", "subject unlinked" in page.locator("[role=alert]").inner_text())
    page.goto(f"{URL}/sign-in/callback?code=stolen&state=guessed")
    check("an answer to nobody's question signs nobody in",
          "begun elsewhere" in page.locator("[role=alert]").inner_text() and not
          [cookie for cookie in page.context.cookies() if cookie["name"] == "session" and cookie["value"]])
    page.context.close()


def double_click(context):
    page = context.new_page()
    page.goto(connection("Litware"))
    with page.expect_navigation():
        page.locator("button", has_text="Connection check").dblclick()
    page.wait_for_load_state()
    check("a double click starts one run", len(runs("operation = 'provider.connection.check'")) == 1)
    check("the start is acknowledged with a link", page.locator(".notice.good").inner_text()
          == "✓ Connection check: queued. View run")
    page.close()


def watching(context):
    page = context.new_page()
    page.goto(connection("Contoso"))
    page.click("button:has-text('Compliance snapshot')")
    page.click(".notice a")
    page.evaluate("window.isSamePage = true")
    check("a run is shown as it waits for a program to take it",
          page.locator("h1 .badge").inner_text().split()[-1] in ("queued", "running"))
    page.locator("details summary", has_text="Context").click()
    consumer = provider_consumer()
    page.wait_for_selector("h1 .badge.good", timeout=60_000)
    check("its end is seen without loading the page again", page.evaluate("window.isSamePage === true"))
    check("and what was opened stays open", page.locator("details[open]").count() == 1)
    counts = dict(zip(page.locator("section:has(h2:text('In numbers')) dt").all_inner_texts(),
                      page.locator("section:has(h2:text('In numbers')) dd").all_inner_texts()))
    check("20,000 devices were counted", counts.get("total") == "20,000", counts)
    page.click("text=20,000 >> nth=-1")
    check("its items are a page of their own", page.locator("tbody tr").count() == 100)
    page.close()
    return consumer


def living_list(context):
    page = context.new_page()
    page.goto(URL + "/admin/operations")
    page.set_viewport_size({"width": 1280, "height": 420})
    box = page.locator("tbody input[type=checkbox]").first
    key = box.get_attribute("value")
    box.check()
    box.focus()
    page.evaluate("window.scrollTo(0, 30)")
    scrolled = page.evaluate("window.scrollY")
    operator = Starter(USERS["Omar Reyes"]["token"])
    body = {"operation": "provider.connection.check",
            "provider_connection_id": TENANTS["Fabrikam"]["connection_id"]}
    status, answer = operator.post("/v1/runs", body)
    assert status == 202, answer
    page.wait_for_selector(f"tr[data-key='{answer['run_id']}'] .badge.good", timeout=30_000)
    check("somebody else's run appears in the list and ends there", True)
    check("what was chosen and focused stays so",
          page.evaluate("document.activeElement.value") == key and page.locator(f"input[value='{key}']").is_checked())
    check("and nobody is scrolled elsewhere", page.evaluate("window.scrollY") == scrolled > 0)
    page.click("[data-pause]")
    status, answer = operator.post("/v1/runs", body)
    until("the run's end", lambda: runs(f"id = '{answer['run_id']}' AND outcome IS NOT NULL"))
    check("a paused list stands still", page.locator(f"tr[data-key='{answer['run_id']}']").count() == 0)
    page.click("[data-pause]")
    page.wait_for_selector(f"tr[data-key='{answer['run_id']}']", timeout=10_000)
    check("and goes on when it is asked to", True)
    page.close()


def blocked(context, consumer):
    consumer.stop()
    page = context.new_page()
    status, answer = Starter(USERS["Omar Reyes"]["token"]).post("/v1/runs", {
        "operation": "provider.connection.check",
        "provider_connection_id": TENANTS["Woodgrove Bank"]["connection_id"]})
    assert status == 202, answer
    page.goto(f"{URL}/admin/operations/{answer['run_id']}")
    change(f"UPDATE memberships SET revoked_at = now() WHERE user_id = '{USERS['Omar Reyes']['id']}'")
    again = provider_consumer()
    page.wait_for_selector("h1 .badge.refused", timeout=60_000)
    text = page.locator(".because").inner_text()
    check("a blocked run says why, and who can do what about it",
          "no longer has access to the tenant" in text and "A manager of the workspace can give access" in text, text)
    check("the decision is shown check by check, then and now",
          page.locator("h3:text('Then') ~ .checks .bad").count() == 1
          and page.locator("h3:text('Now') ~ .checks .bad").count() == 1)
    check("decided again from its record it comes out the same", page.get_by_text("it comes out the same").count() == 1)
    page.goto(URL + "/admin")
    page.locator(".causes a").first.click()
    check("the overview leads to what was blocked for this reason", page.locator("tbody .badge.refused").count() == 1)
    page.close()
    return again


def keys(context):
    page = context.new_page()
    page.goto(URL + "/admin/operations")
    page.keyboard.press("/")
    check("/ leads to the filter", page.evaluate("document.activeElement.id") == "q")
    page.keyboard.type("outcome:succeeded")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=outcome*")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    check("j and k walk through the rows", page.locator("tr.current").count() == 1
          and page.evaluate("[...document.querySelectorAll('tbody tr')].indexOf(document.querySelector('tr.current'))") == 1)
    page.keyboard.press("o")
    page.wait_for_url(re.compile("/admin/operations/[0-9a-f-]{36}$"))
    check("o opens the row", True)
    page.keyboard.press("?")
    check("? shows the keys", page.locator("dialog[open]").count() == 1)
    page.keyboard.press("Escape")
    theme = page.evaluate("document.documentElement.dataset.theme")
    with page.expect_navigation():
        page.keyboard.press("t")
    check("t changes the look", page.evaluate("document.documentElement.dataset.theme") != theme)
    change_theme(page, "system")
    page.close()


def change_theme(page, theme):
    for _ in range(3):
        if page.evaluate("document.documentElement.dataset.theme") == theme:
            return
        with page.expect_navigation():
            page.click("button[name=theme]")


def without_script(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "nadia")
    page.goto(connection("Tailspin Toys"))
    page.click("button:has-text('Connection check')")
    link = started(page)
    check("without JavaScript an operation is started", link is not None)
    run = link.split("/")[-1]
    until("the run's end", lambda: runs(f"id = '{run}' AND outcome = 'succeeded'"))
    page.goto(URL + link)
    check("and its run is read", page.locator("h1 .badge.good").count() == 1)
    page.goto(URL + "/admin/operations")
    page.fill("#q", "tenant:tailspin")
    page.click("form.filter button")
    check("and the list is filtered", page.locator("tbody tr").count() == 1)
    page.locator("tbody input[type=checkbox]").check()
    page.click("button[value=retry]")
    check("and what would be done is shown before it is", "0 of these would be started again"
          in page.locator("h1").inner_text())
    context.close()


def signing_out(browser):
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, "clara")
    page.goto(URL + "/admin/operations")
    kept = context.cookies()
    page.click("text=Sign out")
    check("signing out leads to the start", page.url.endswith("/sign-in"))
    page.go_back()
    check("and the page before can't be looked at again", "/sign-in" in page.url, page.url)
    context.add_cookies(kept)
    page.goto(URL + "/admin")
    check("not even with the cookie of before", "/sign-in" in page.url)
    context.close()


# ---- every page ------------------------------------------------------------------------------------------------------

def pages():
    run = runs("outcome = 'blocked'")[0]["id"]
    return ["/admin", "/admin/operations", "/admin/operations?q=outcome:green", f"/admin/operations/{run}",
            f"/admin/operations/{run}/items", "/admin/tenants", "/admin/provider-connections",
            connection("Contoso").removeprefix(URL), "/admin/me", "/admin/nothing",
            f"/admin/tenants/{TENANTS['Contoso']['id']}", "/admin/access",
            f"/admin/access/{USERS['Omar Reyes']['id']}", "/admin/audit", "/admin/provider-connections/new",
            connection("Contoso").removeprefix(URL) + "/edit", connection("Contoso").removeprefix(URL) + "/credential"]


def accessibility(context):
    axe = Axe()
    page = context.new_page()
    found = []
    looked = 0
    for theme in ("light", "dark"):
        page.goto(URL + "/admin/me")
        change_theme(page, theme)
        for path in pages():
            page.goto(URL + path)
            for violation in axe.run(page)["violations"]:
                found += [(theme, path, violation["id"], node["html"][:120]) for node in violation["nodes"]]
            looked += 1
            if PICTURES:
                name = re.sub("[^a-z]+", "-", path.lower().split("?")[0]).strip("-") or "admin"
                page.screenshot(path=f"{PICTURES}/{theme}-{name}.png", full_page=True)
    change_theme(page, "system")
    anonymous = context.browser.new_page()
    anonymous.goto(URL + "/sign-in")
    found += [("light", "/sign-in", violation["id"], "") for violation in axe.run(anonymous)["violations"]]
    anonymous.close()
    check(f"no page of {looked + 1} has a fault of accessibility that can be found by a program", not found, found[:20])
    page.close()


def narrow(context):
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 740})
    wide = []
    for path in pages():
        page.goto(URL + path)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path)
        if PICTURES:
            name = re.sub("[^a-z]+", "-", path.lower().split("?")[0]).strip("-") or "admin"
            page.screenshot(path=f"{PICTURES}/phone-{name}.png", full_page=True)
    check("on a phone no page has to be pushed sideways", not wide, wide)
    page.close()


HOSTILE = [
    "<script>window.hit=1</script>", "\"><img src=x onerror=window.hit=1>", "'><svg onload=window.hit=1>",
    "</title><script>window.hit=1</script>", "</textarea><script>window.hit=1</script>", "{{page}}", "{{{csrf}}}",
    "javascript:window.hit=1", "<a href='javascript:window.hit=1'>x</a>", "<style>*{display:none}</style>",
    "<iframe srcdoc='<script>parent.hit=1</script>'>", "<!-- -->", "]]>", "&lt;script&gt;", "\u202egpj.exe\u202c",
    "\u2066\u2067\u2068", "\u200b\u200d\ufeff", "W" * 200, "a" * 99 + " " + "b" * 99, "Ḽ͓̯ơ̈ͭr̸ĕ̇m̶" * 12,
]


def hostile(context):
    page = context.new_page()
    wrong = []
    page.on("dialog", lambda dialog: (wrong.append("a dialog"), dialog.dismiss()))
    page.on("console", lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None)
    names = rows("SELECT 'tenants' AS kind, id, name FROM tenants UNION ALL SELECT 'users', id, name FROM users "
                 "UNION ALL SELECT 'provider_connections', id, display_name FROM provider_connections")
    looked = 0
    for number in range(100):
        text = (HOSTILE[number % len(HOSTILE)] + str(number))[:200].replace("'", "''")
        change(f"UPDATE tenants SET name = '{text}'; UPDATE users SET name = '{text}';"
               f"UPDATE provider_connections SET display_name = '{text}', entra_tenant_name = '{text}'")
        page.set_viewport_size({"width": 1280 if number % 2 else 360, "height": 800})
        for path in pages()[number % 3::3]:
            page.goto(URL + path)
            looked += 1
            if page.evaluate("window.hit") is not None:
                wrong.append(f"script ran on {path}: {text}")
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                wrong.append(f"{path} is too wide with {text}")
    check(f"100 hostile names on {looked} pages: no script, no broken layout, no report of the policy", not wrong,
          wrong[:10])
    for row in names:
        column = "display_name" if row["kind"] == "provider_connections" else "name"
        change(f"UPDATE {row['kind']} SET {column} = '{row['name']}' WHERE id = '{row['id']}'")
    page.close()


def log_text():
    with open(f"{os.environ['LOGS']}/console.log") as log:
        return log.read()


def main():
    with sync_playwright() as tool:
        # A container's root may not use the browser's own sandbox; what it loads here is ours alone.
        browser = tool.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        signing_in(browser)
        organisation_sign_in(browser)
        context = browser.new_context()
        sign_in(context.new_page(), "nadia")
        double_click(context)
        consumer = watching(context)
        living_list(context)
        consumer = blocked(context, consumer)
        keys(context)
        without_script(browser)
        signing_out(browser)
        consumer.stop()
        calls = journal_end()
        accessibility(context)
        narrow(context)
        hostile(context)
        check("no page asked a provider for anything", journal_end() == calls)
        log = log_text()
        check("no page failed, and no browser reported a violation",
              '"level":"error"' not in log and "violation" not in log)
        check("no session's secret stands in the log", "ta_" not in log)
        browser.close()
    print(f"{passed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
