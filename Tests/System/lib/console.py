"""The console in a real browser. Each claim is printed with how it came out; the exit code tells whether all held."""

import datetime
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from system import Consumer, Starter, journal, journal_end, rows, sandbox, until

URL = os.environ["CONSOLE_URL"]
PASSWORD = os.environ["CONSOLE_PASSWORD"]
DEMO = json.load(open(os.environ["DEMO_DATA"]))
TENANTS = {tenant["name"]: tenant for tenant in DEMO["tenants"]}
USERS = {user["name"]: user for user in DEMO["users"]}
# How long what is sure to come may take on a small, busy machine; in milliseconds.
PATIENCE = 60_000
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
    return Consumer("ProviderConsumer").start()


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
    page.wait_for_selector("h1 .badge.good")
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
    page.wait_for_selector(f"tr[data-key='{answer['run_id']}'] .badge.good")
    check("somebody else's run appears in the list and ends there", True)
    check("what was chosen and focused stays so",
          page.evaluate("document.activeElement.value") == key and page.locator(f"input[value='{key}']").is_checked())
    check("and nobody is scrolled elsewhere", page.evaluate("window.scrollY") == scrolled > 0)
    page.click("[data-pause]")
    status, answer = operator.post("/v1/runs", body)
    until("the run's end", lambda: runs(f"id = '{answer['run_id']}' AND outcome IS NOT NULL"))
    check("a paused list stands still", page.locator(f"tr[data-key='{answer['run_id']}']").count() == 0)
    page.click("[data-pause]")
    page.wait_for_selector(f"tr[data-key='{answer['run_id']}']")
    check("and goes on when it is asked to", True)
    page.close()


def blocked(context, consumer):
    consumer.stop()
    page = context.new_page()
    status, answer = Starter(USERS["Omar Reyes"]["token"]).post("/v1/runs", {
        "operation": "provider.connection.check",
        "provider_connection_id": TENANTS["Woodgrove Bank"]["connection_id"]})
    assert status == 202, answer
    check_now("Fabrikam", "Omar Reyes")
    page.goto(f"{URL}/admin/operations/{answer['run_id']}")
    change(f"UPDATE memberships SET revoked_at = now() WHERE user_id = '{USERS['Omar Reyes']['id']}'")
    again = provider_consumer()
    page.wait_for_selector("h1 .badge.refused")
    until("the other one is blocked, too", lambda: len(runs("outcome = 'blocked'")) == 2)
    text = page.locator(".because").inner_text()
    check("a blocked run says why, and who can do what about it",
          "no longer has access to the tenant" in text and "A manager of the workspace can give access" in text, text)
    check("the decision is shown check by check, then and now",
          page.locator("h3:text('Then') ~ .checks .bad").count() == 1
          and page.locator("h3:text('Now') ~ .checks .bad").count() == 1)
    check("decided again from its record it comes out the same", page.get_by_text("it comes out the same").count() == 1)
    page.goto(URL + "/admin")
    page.locator(".causes a").first.click()
    check("the overview leads to what was blocked for this reason", page.locator("tbody .badge.refused").count() == 2)
    page.close()
    return again


def backups(context):
    """A backup, a change at the provider, another one, what changed; then a policy that was deleted comes back."""
    restore = Consumer("RestoreConsumer").start()
    page = context.new_page()

    def back_up():
        page.goto(connection("Contoso"))
        page.click("button:text-is('Backup')")
        run = started(page).split("/")[-1]
        until("the backup's end", lambda: runs(f"id = '{run}' AND outcome = 'succeeded'"))
        return run

    page.goto(f"{URL}/admin/tenants/{TENANTS['Contoso']['id']}")
    if page.get_by_text("Open the write gate").count():
        page.click("button:has-text('Open the write gate')")
    page.goto(connection("Contoso"))
    page.click("button:has-text('Connection check')")
    check_run = started(page).split("/")[-1]
    until("the check's end", lambda: runs(f"id = '{check_run}' AND outcome = 'succeeded'"))
    entra = rows(f"SELECT entra_tenant_id FROM provider_connections WHERE id = '{TENANTS['Contoso']['connection_id']}'")
    entities = f"/tenants/{entra[0]['entra_tenant_id']}/entities/assignmentFilters"
    first = back_up()
    filters = sandbox("GET", entities)["value"]
    changed, gone = filters[0], filters[1]
    sandbox("PATCH", f"{entities}/{changed['id']}", {"rule": '(device.model -eq "Model X")'})
    sandbox("DELETE", f"{entities}/{gone['id']}")
    back_up()
    page.goto(f"{URL}/admin/backups")
    for box in page.locator("tbody input[type=checkbox]").all()[:2]:
        box.check()
    page.click("button:has-text('Compare')")
    check("two backups are compared: what was changed and removed", page.locator("h1").inner_text().startswith(
        "1 removed, 1 changed"), page.locator("h1").inner_text())
    check("member by member", "Model X" in page.locator("section.change ins").all_inner_texts()[0])
    page.goto(f"{URL}/admin/backups/{first}")
    page.fill("#q", gone["displayName"])
    page.click("form.filter button")
    page.locator("tbody input[type=checkbox]").first.check()
    page.click("button:has-text('See what would be done')")
    calls = journal_end()
    page.wait_for_selector("button:has-text('Restore these')")
    writes = [entry for entry in journal(calls) if entry.get("change")]
    check("what a restore would do is shown, and nothing is written by it", not writes, writes)
    page.click("button:has-text('Restore these')")
    check("and asked item by item before it is done", page.locator("tbody .badge.active").count() == 1
          and "would be created" in page.locator("tbody").inner_text())
    page.click("button.danger")
    page.wait_for_selector("h1 .badge.good")
    names = [one["displayName"] for one in sandbox("GET", entities)["value"]]
    check("what was deleted is there again, and nothing else was touched", names.count(gone["displayName"]) == 1
          and len(names) == len(filters), names)
    restore.stop()
    page.close()


def revoked(context, consumer):
    """Access is taken away while something is queued: foretold, done, told; and nothing runs under it."""
    consumer.stop()
    priya = USERS["Priya Nair"]
    status, answer = Starter(priya["token"]).post("/v1/runs", {
        "operation": "provider.connection.check",
        "provider_connection_id": TENANTS["Adventure Works"]["connection_id"]})
    assert status == 202, answer
    page = context.new_page()
    page.goto(f"{URL}/admin/access/{priya['id']}")
    page.click("button:has-text('Take away')")
    row = page.locator("tbody tr", has_text="Adventure Works")
    check("before access is taken away it is said which runs that would stop, and how they would end",
          "ends blocked" in row.inner_text() and "Nothing has been changed yet" in page.locator("main").inner_text())
    check("and until it is confirmed nothing is changed",
          rows(f"SELECT 1 AS held FROM memberships WHERE user_id = '{priya['id']}' AND revoked_at IS NULL"))
    page.click("button.danger")
    text = page.locator("main").inner_text()
    check("then it is told when it took effect, and that nothing is on the wire", "In effect" in text
          and "Off the wire" in text, text)
    calls = journal_end()
    again = provider_consumer()
    until("the run's end", lambda: runs(f"id = '{answer['run_id']}' AND outcome = 'blocked'"))
    check("and what was queued is blocked without a call", journal_end() == calls)
    page.goto(f"{URL}/admin/access/{priya['id']}")
    page.select_option("#role", "operator")
    page.click("button:has-text('Give it')")
    check("access is given again by one form", page.locator(".notice.good").count() == 1
          and page.locator("tbody tr", has_text="operator").count() == 1)
    page.close()
    return again


def credential(context):
    secret = "kept-" + os.urandom(12).hex()
    page = context.new_page()
    page.goto(connection("Woodgrove Bank") + "/credential")
    page.fill("#client_secret", secret)
    page.click("button.primary")
    shown = page.content()
    for path in (connection("Woodgrove Bank"), connection("Woodgrove Bank") + "/credential", URL + "/admin/audit"):
        page.goto(path)
        shown += page.content()
    check("a credential is replaced, and its version is shown", "version 2" in shown)
    check("but it is never shown again, and stands in no log", secret not in shown and secret not in log_text())
    check("nor anywhere in the database as it is", not rows(
        f"SELECT 1 AS found FROM provider_credentials WHERE position('{secret}'::bytea IN sealed) > 0 UNION ALL "
        f"SELECT 1 FROM audit a WHERE a::text LIKE '%{secret}%' UNION ALL "
        f"SELECT 1 FROM provider_connections c WHERE c::text LIKE '%{secret}%'"))
    page.close()


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


def check_now(tenant, person):
    """Starts a connection check through the API; returns the run's id."""
    status, answer = Starter(USERS[person]["token"]).post("/v1/runs", {
        "operation": "provider.connection.check", "provider_connection_id": TENANTS[tenant]["connection_id"]})
    assert status == 202, answer
    return answer["run_id"]


class Receiver:
    """Takes what webhooks send, and answers by the status that it is told to."""

    def __init__(self):
        self.status, self.taken = 500, []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.taken.append((self.headers["webhook-id"], json.loads(body)))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


def side_by_side(context):
    """A browser has six connections to a place, and each page in sight holds one."""
    places = ["", "/operations", "/tenants", "/schedules", "/me"]
    windows = [context.new_page() for _ in places]
    for window, place in zip(windows, places):
        window.goto(f"{URL}/admin{place}")
    run = check_now("Litware", "Nadia Brandt")
    for window in windows:
        window.locator(f".told a[href='/admin/operations/{run}']").wait_for()
    check("five windows side by side are told, and a change is seen in each of them",
          windows[1].locator(f"#live a[href='/admin/operations/{run}']").count() == 1)
    another = context.new_page()
    another.goto(URL + "/admin/access")
    check("and one more page comes", another.locator("h1").count() == 1)
    for window in windows + [another]:
        window.close()


def told_live(context):
    page, other = context.new_page(), context.new_page()
    other.goto(URL + "/admin/me")
    page.goto(URL + "/admin/tenants")
    page.bring_to_front()
    unread = page.locator("[data-unread]").inner_text()
    run = check_now("Litware", "Nadia Brandt")
    told = page.locator(f".told:has(a[href='/admin/operations/{run}'])")
    told.wait_for()
    check("the end of a run is told on whatever page is open", "succeeded" in told.inner_text(), told.inner_text())
    check("and counted beside the inbox", page.locator("[data-unread]").inner_text() not in ("", unread))
    found = [violation["id"] for violation in Axe().run(page)["violations"]]
    check("what is told has no fault of accessibility", not found, found)
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/light-told.png")
    told.locator("[data-dismiss]").click()
    check("it is closed when one has read it", page.locator(".told").count() == 0)
    page.goto(URL + "/admin/access")
    again = check_now("Litware", "Nadia Brandt")
    page.locator(f".told a[href='/admin/operations/{again}']").wait_for()
    check("and is told once, the next one on the next page", page.locator(".told").count() == 1)
    page.goto(URL + "/admin/notifications")
    check("the inbox has both", page.locator(f"tbody a[href='/admin/operations/{run}']").count() == 1
          and page.locator("tbody tr.fresh").count() >= 2)
    page.click("text=Mark all as read")
    check("and nothing is unread when one says so", page.locator("tbody tr.fresh").count() == 0
          and page.locator("[data-unread]").inner_text() == "")
    other.close()
    page.close()


def taken_away(context):
    page = context.new_page()
    status, answer = Starter(USERS["Nadia Brandt"]["token"]).post(
        "/v1/access/revocations", {"user_id": USERS["Jonas Weber"]["id"]})
    assert status == 200, answer
    page.goto(URL + "/admin")
    row = page.locator("tr", has_text="Jonas Weber")
    check("the overview says when what was taken away took effect, and was off the wire",
          "access taken away" in row.inner_text() and "off the wire" in row.inner_text(), row.inner_text())
    page.close()


def webhooks(context):
    receiver = Receiver()
    page = context.new_page()
    page.goto(URL + "/admin/notifications/webhooks")
    page.fill("#label", "tickets")
    page.fill("#url", receiver.url + "?key=known-to-nobody")
    page.click("text=Add the webhook")
    secret = page.locator("pre code").inner_text()
    check("a webhook's key is shown when it is made", secret.startswith("whsec_"))
    page.click("text=To the webhooks")
    check("and not again, nor what of its address is nobody's business",
          secret not in page.content() and "known-to-nobody" not in page.content()
          and page.locator("tbody tr").count() == 1)
    run = check_now("Litware", "Nadia Brandt")
    until("the first try", lambda: receiver.taken)
    page.goto(f"{URL}/admin/notifications/deliveries?run={run}")
    page.wait_for_function("() => document.querySelector('.tries li') || (location.reload(), false)", polling=500)
    row = page.locator("tbody tr")
    check("a delivery that failed says why, and when it is tried again",
          "the receiver refused it (status 500)" in row.inner_text() and row.locator("td").nth(4).inner_text() != "no further try",
          row.inner_text())
    receiver.status = 204
    page.click("text=Send once more")
    check("sending once more is acknowledged", page.locator(".notice.good").inner_text() == "✓ It is sent once more now.")
    until("the second try", lambda: len(receiver.taken) >= 2)
    page.wait_for_function("() => document.querySelector('tbody .badge.good') || (location.reload(), false)", polling=500)
    check("and it is delivered, under the same id", len({taken[0] for taken in receiver.taken}) == 1
          and page.locator(".tries li").count() == 2, receiver.taken)
    page.goto(URL + "/admin/notifications/webhooks")
    page.click("text=Another key…")
    page.click("text=Make the key")
    check("another key is another one", page.locator("pre code").inner_text() not in ("", secret))
    page.goto(URL + "/admin/notifications/email")
    page.fill("#address", "nadia@example.com")
    page.click("text=Save")
    check("one's own address is kept", page.input_value("#address") == "nadia@example.com")
    page.close()


def dead_letters(context):
    page = context.new_page()
    page.goto(URL + "/admin/dead-letters")
    page.wait_for_selector("tbody tr")
    page.evaluate("window.isSamePage = true")
    run = page.locator("tbody tr a[data-open]").first.get_attribute("href").split("/")[-1]
    check("what was refused for good lies among the dead letters, by its run",
          runs(f"id = '{run}'")[0]["outcome"] == "blocked")
    before = page.locator("tbody tr").count()
    page.locator("tbody tr").first.locator("text=Drop…").click()
    page.click("button:has-text('Drop it')")
    check("nothing is dropped without saying why", page.locator("#note:invalid").count() == 1)
    page.click("text=Back, nothing is changed")
    page.locator("tbody tr").first.locator("text=Put back").click()
    check("putting one back is acknowledged", "put back in a moment" in page.locator(".notice.good").inner_text())
    page.evaluate("window.isSamePage = true")
    page.wait_for_function(f"() => document.querySelectorAll('tbody tr').length === {before - 1}")
    check("and seen when it is done, without loading the page again", page.evaluate("window.isSamePage === true"))
    trail = rows(f"SELECT action, actor_id FROM audit WHERE run_id = '{run}' AND action LIKE 'dead_letter.%' ORDER BY id")
    check("the audit says who wanted it, and that it was done",
          trail == [{"action": f"dead_letter.{word}", "actor_id": USERS["Nadia Brandt"]["id"]}
                    for word in ("wished", "redriven")], trail)
    page.close()


def saved_view(context):
    page = context.new_page()
    page.goto(URL + "/admin/operations")
    check("what is not filtered is no view", page.locator("text=Keep this view").count() == 0)
    page.fill("#q", "outcome:blocked since:7d")
    page.keyboard.press("Enter")
    page.click("text=Keep this view")
    page.fill("#view-name", "Blocked this week")
    page.click("button:has-text('Keep')")
    page.goto(URL + "/admin/operations")
    page.click(".kept a:has-text('Blocked this week')")
    check("a filter with a name stands above the list, and leads to what it finds",
          page.input_value("#q") == "outcome:blocked since:7d" and page.locator(".kept a[aria-current]").count() == 1)
    page.fill("#q", "outcome:failed")
    page.keyboard.press("Enter")
    page.click("text=Keep this view")
    page.fill("#view-name", "Failed")
    page.click("button:has-text('Keep')")
    page.click("[aria-label='Remove the view Failed']")
    check("and goes when it is removed", page.locator(".kept").count() == 1)
    page.close()


def chosen(page, operation, tenant):
    """Where is chosen what a bulk operation changes on the tenant."""
    page.goto(URL + "/admin/bulk")
    page.select_option("#operation", operation)
    page.select_option("#connection", TENANTS[tenant]["connection_id"])
    page.click("button:has-text('Choose what')")


def bulk(context):
    page = context.new_page()
    page.goto(connection("Fabrikam"))
    page.click("button:has-text('Inventory sync')")
    run = started(page).split("/")[-1]
    until("the inventory", lambda: runs(f"id = '{run}' AND outcome = 'succeeded'"), limit=120)
    chosen(page, "device.bulk_sync", "Fabrikam")
    page.click("button:has-text('Look at all')")
    check("what stands in the way is told before it is tried",
          page.locator("h1").inner_text() == "1,250 devices would be asked to sync"
          and "Changes to this tenant are switched off." in page.locator(".because").inner_text())
    page.goto(f"{URL}/admin/tenants/{TENANTS['Fabrikam']['id']}")
    page.click("button:has-text('Open the write gate')")
    chosen(page, "policy.bulk_assign", "Fabrikam")
    boxes = page.locator("tbody input[name=item]")
    names = page.locator("tbody td.name:nth-child(2)").all_inner_texts()
    boxes.nth(0).check()
    page.fill("#name_contains", names[1])
    page.press("#name_contains", "Enter")
    check("the list is searched, and what was ticked stays so",
          page.locator("tbody tr").count() < len(names) and page.locator("summary", has_text="not in this list: 1").count() == 1)
    page.locator("tbody input[name=item]").first.check()
    group = rows("SELECT group_id AS id, display_name AS name FROM directory_groups ORDER BY folded_name DESC LIMIT 1")[0]
    page.fill("#group_name", group["name"])
    page.click("button:has-text('Find groups')")
    page.check(f"input[name=group_id][value='{group['id']}']")
    page.click("button:has-text('Look at what is ticked')")
    check("what would be changed is told before it is",
          page.locator("h1").inner_text() == f"2 policies would be assigned to the group «{group['name']}»"
          and not runs("operation = 'policy.bulk_assign'"), page.locator("h1").inner_text())
    page.click("button:has-text('Choose again')")
    check("and can be chosen again without losing it", page.locator("input[name=item]:checked").count() == 2
          and page.locator("input[name=group_id]:checked").count() == 1)
    page.click("button:has-text('Look at what is ticked')")
    with page.expect_navigation():
        page.locator("button.primary", has_text="Assign 2 policies").dblclick()
    page.wait_for_load_state()
    check("a double click starts one run in bulk", len(runs("operation = 'policy.bulk_assign'")) == 1)
    page.evaluate("window.isSamePage = true")
    page.wait_for_selector("#live tbody tr .badge.good")
    check("and its end is seen in the list without loading it again", page.evaluate("window.isSamePage === true"))
    assigned = rows("SELECT i.state FROM run_items i JOIN runs r ON r.id = i.run_id WHERE r.operation = 'policy.bulk_assign'")
    check("it changed what was ticked and nothing else", [row["state"] for row in assigned] == ["applied"] * 2, assigned)
    chosen(page, "policy.bulk_delete", "Fabrikam")
    page.select_option("#kind", "device_script")
    page.click("button:has-text('Find') >> nth=0")
    page.click("button:has-text('Look at all')")
    page.fill("#typed", "1")
    page.click("button.danger")
    check("a deletion takes the number that it deletes", page.locator("[role=alert]").count() == 1
          and not runs("operation = 'policy.bulk_delete'"))
    page.close()


def new_schedule(page, tenant, **fields):
    """Leads to what a schedule would be."""
    page.goto(URL + "/admin/schedules/new")
    page.select_option("#connection", TENANTS[tenant]["connection_id"])
    for name, value in fields.items():
        if name in ("operation", "rhythm", "weekday", "day"):
            page.select_option(f"#{name}", value)
        else:
            page.fill(f"#{name}", value)
    page.click("button.primary")


def schedule(context, meanwhile):
    page = context.new_page()
    # Days away: whenever the test runs, it starts nothing.
    day = datetime.date.today() + datetime.timedelta(days=3)
    new_schedule(page, "Woodgrove Bank", operation="backup.run", rhythm="weekly", weekday=str(day.isoweekday() % 7),
                 time="03:15", time_zone="Europe/Zurich")
    check("when a schedule is due is told before it is made",
          f"on {day:%A} at 03:15 (Europe/Zurich)" in page.locator("h1").inner_text()
          and page.locator(".timeline li", has_text="03:15:00").count() == 5 and not rows("SELECT id FROM schedules"))
    page.click("button:has-text('Make the schedule')")
    check("and then it is made", len(rows("SELECT id FROM schedules")) == 1)
    new_schedule(page, "Adventure Works", operation="provider.connection.check", rhythm="cron", cron="* * * * *")
    page.click("button:has-text('Make the schedule')")
    page.evaluate("window.isSamePage = true")
    meanwhile()
    page.wait_for_selector("section:has(h2:text('What it started')) .badge.good", timeout=150_000)
    check("what a schedule started is seen on its page", page.evaluate("window.isSamePage === true"))
    page.click("button:has-text('Pause')")
    check("a schedule is paused", page.locator("h1 .badge.refused").count() == 1)
    page.click("button:has-text('Remove')")
    check("before it is removed it is asked for", "Remove the schedule of Connection check on Adventure Works?"
          == page.locator("h1").inner_text() and len(rows("SELECT id FROM schedules")) == 2)
    page.click("button:has-text('Remove it')")
    check("and then it is gone", len(rows("SELECT id FROM schedules")) == 1 and page.url.endswith("/admin/schedules"))
    page.close()


def change_theme(page, theme):
    for _ in range(3):
        if page.evaluate("document.documentElement.dataset.theme") == theme:
            return
        with page.expect_navigation():
            page.click("button[name=theme]")


def without_script(browser):
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
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
    chosen(page, "device.bulk_sync", "Fabrikam")
    page.fill("#name_contains", "0")
    page.click("button:has-text('Find')")
    page.locator("tbody input[name=item]").first.check()
    page.click("button:has-text('More')")
    page.click("button:has-text('Look at what is ticked')")
    check("without JavaScript what is ticked on a page is kept on the next", page.locator("h1").inner_text()
          == "1 device would be asked to sync", page.locator("h1").inner_text())
    page.click("button.primary")
    run = started(page).split("/")[-1]
    until("the run's end", lambda: runs(f"id = '{run}' AND outcome = 'succeeded'"))
    check("and a run in bulk is started", True)
    # At least ten days away.
    day = (datetime.date.today().day + 10) % 25 + 1
    new_schedule(page, "Litware", operation="inventory.sync", rhythm="monthly", day=str(day), time="23:45")
    page.click("button:has-text('Make the schedule')")
    check("and a schedule is made", page.locator("h1", has_text="Inventory sync").count() == 1)
    context.close()


def signing_out(browser):
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
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

def dry_run(page):
    chosen(page, "policy.bulk_delete", "Fabrikam")
    page.click("button:has-text('Look at all')")


def schedule_preview(page):
    new_schedule(page, "Litware", operation="policy.sync", rhythm="daily", time="05:00")


def visit(page, place):
    """Leads to a page: by its address, or by the forms before it."""
    if callable(place):
        place(page)
    else:
        page.goto(URL + place)


def picture(page, kind, place):
    name = place.__name__ if callable(place) else place
    name = re.sub("[^a-z]+", "-", re.sub("[0-9a-f-]{36}", "one", name.lower().split("&")[0])).strip("-") or "admin"
    page.screenshot(path=f"{PICTURES}/{kind}-{name}.png", full_page=True)


def pages():
    run = runs("outcome = 'blocked'")[0]["id"]
    sets = [row["id"] for row in rows("SELECT id FROM backup_sets ORDER BY id DESC LIMIT 2")]
    item = rows(f"SELECT item_id FROM backup_items WHERE backup_id = '{sets[0]}' LIMIT 1")[0]["item_id"]
    preview = runs("operation = 'restore.execute'")[0]["id"]
    choose = f"connection={TENANTS['Fabrikam']['connection_id']}"
    return ["/admin/backups", f"/admin/backups/{sets[0]}", f"/admin/backups/{sets[0]}/{item}",
            f"/admin/backups/compare?set={sets[0]}&set={sets[1]}", f"/admin/operations/{preview}",
            "/admin", "/admin/operations", "/admin/operations?q=outcome:green", f"/admin/operations/{run}",
            f"/admin/operations/{run}/items", "/admin/tenants", "/admin/provider-connections",
            connection("Contoso").removeprefix(URL), "/admin/me", "/admin/nothing",
            f"/admin/tenants/{TENANTS['Contoso']['id']}", "/admin/access",
            f"/admin/access/{USERS['Omar Reyes']['id']}", "/admin/audit", "/admin/provider-connections/new",
            connection("Contoso").removeprefix(URL) + "/edit", connection("Contoso").removeprefix(URL) + "/credential",
            "/admin/operations?q=outcome:blocked", "/admin/notifications", "/admin/notifications/webhooks",
            "/admin/notifications/deliveries", "/admin/notifications/email", "/admin/dead-letters",
            "/admin/bulk", f"/admin/bulk/new?operation=policy.bulk_assign&{choose}",
            f"/admin/bulk/new?operation=device.bulk_sync&{choose}", dry_run, "/admin/schedules",
            f"/admin/schedules/{rows('SELECT id FROM schedules ORDER BY id')[0]['id']}", "/admin/schedules/new",
            schedule_preview]


def accessibility(context):
    axe = Axe()
    page = context.new_page()
    found = []
    looked = 0
    for theme in ("light", "dark"):
        page.goto(URL + "/admin/me")
        change_theme(page, theme)
        for place in pages():
            visit(page, place)
            for violation in axe.run(page)["violations"]:
                found += [(theme, place, violation["id"], node["html"][:120]) for node in violation["nodes"]]
            looked += 1
            if PICTURES:
                picture(page, theme, place)
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
    for place in pages():
        visit(page, place)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(place)
        if PICTURES:
            picture(page, "phone", place)
    check("on a phone no page has to be pushed sideways", not wide, wide)
    page.close()


HOSTILE = [
    "<script>window.hit=1</script>", "\"><img src=x onerror=window.hit=1>", "'><svg onload=window.hit=1>",
    "</title><script>window.hit=1</script>", "</textarea><script>window.hit=1</script>", "{{page}}", "{{{csrf}}}",
    "javascript:window.hit=1", "<a href='javascript:window.hit=1'>x</a>", "<style>*{display:none}</style>",
    "<iframe srcdoc='<script>parent.hit=1</script>'>", "<!-- -->", "]]>", "&lt;script&gt;", "\u202egpj.exe\u202c",
    "\u2066\u2067\u2068", "\u200b\u200d\ufeff", "W" * 200, "a" * 99 + " " + "b" * 99, "Ḽ͓̯ơ̈ͭr̸ĕ̇m̶" * 12,
]


def named(text, backup):
    """What gives everything that people or tenants can name this name: also a policy and its document in a backup set."""
    text = "'" + text.replace("'", "''") + "'"
    document = f"convert_to(jsonb_build_object({text}, {text})::text, 'UTF8')"
    return f"""
        UPDATE tenants SET name = {text};
        UPDATE users SET name = {text};
        UPDATE provider_connections SET display_name = {text}, entra_tenant_name = {text};
        UPDATE notifications SET title = {text}, body = {text};
        UPDATE webhooks SET label = {text};
        UPDATE saved_views SET name = left({text}, 60);
        UPDATE dead_letters SET type = left({text}, 100);
        UPDATE inventory_policies SET name = {text};
        UPDATE inventory_devices SET name = {text};
        UPDATE directory_groups SET display_name = {text};
        UPDATE run_items i SET label = {text}, detail = {text}
        FROM runs r WHERE r.id = i.run_id AND r.operation = 'restore.execute';
        INSERT INTO policy_contents (tenant_id, hash, content, secrets)
        SELECT tenant_id, sha256({document}), {document}, 1 FROM backup_sets WHERE id = '{backup}' ON CONFLICT DO NOTHING;
        UPDATE backup_items SET name = {text}, type = {text}, hash = sha256({document}) WHERE backup_id = '{backup}';
        """


def hostile(context):
    page = context.new_page()
    wrong = []
    page.on("dialog", lambda dialog: (wrong.append("a dialog"), dialog.dismiss()))
    page.on("console", lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None)
    backup = rows("SELECT id FROM backup_sets ORDER BY id DESC LIMIT 1")[0]["id"]
    names = rows("SELECT 'tenants' AS kind, id, name FROM tenants UNION ALL SELECT 'users', id, name FROM users "
                 "UNION ALL SELECT 'provider_connections', id, display_name FROM provider_connections")
    looked = 0
    for number in range(100):
        text = (HOSTILE[number % len(HOSTILE)] + str(number))[:200]
        change(named(text, backup))
        page.set_viewport_size({"width": 1280 if number % 2 else 360, "height": 800})
        for place in pages()[number % 3::3]:
            visit(page, place)
            looked += 1
            if page.evaluate("window.hit") is not None:
                wrong.append(f"script ran on {place}: {text}")
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                wrong.append(f"{place} is too wide with {text}")
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
        context.set_default_timeout(PATIENCE)
        first = context.new_page()
        sign_in(first, "nadia")
        first.close()
        double_click(context)
        consumer = watching(context)
        living_list(context)
        side_by_side(context)
        consumer = blocked(context, consumer)
        backups(context)
        consumer = revoked(context, consumer)
        credential(context)
        keys(context)
        told_live(context)
        webhooks(context)
        dead_letters(context)
        saved_view(context)
        taken_away(context)
        schedule(context, lambda: bulk(context))
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
