"""Each service's role at the database: it can run every statement that its service has, and has no right that none of
them needs.

The statements are read from the sources; the database only plans them, which asks for every right that running them
would need, and touches no row. Usage: database_roles.py SOURCES (Shared/Store)
"""

import os
import pathlib
import re
import sys

import psycopg2

CONSUMER = ["CallPermits", "ChunkService", "ChunkWriter", "AuthorityReading", "RunService", "TransitionWriter", "Ledger",
            "OutboxStore.claim", "OutboxStore.deletions", "Workers", "ProviderConnections.find"]
# Which statements a service has: a file of Shared/Store, or one statement of it.
SERVICES = {
    "provider_consumer": CONSUMER + ["ProviderConnections"],
    "inventory_consumer": CONSUMER + ["DeviceInventory", "DirectoryGroups", "PolicyInventory", "BackupSets"],
    "restore_consumer": CONSUMER + ["BackupReading.sets", "BackupReading.items", "BackupReading.documents"],
    "bulk_consumer": CONSUMER + ["RunDivision", "ChunkItems", "WriteBudget"],
    "notifier": ["Deliveries", "Notifications"],
    "starter": [
        "AccessReading", "AuditReading", "AuditSeals", "AuditPartitions", "AuthorityChanges", "AuthorityPlan",
        "AuthorityPreview", "AuthorityReading", "Barrier", "BackupReading", "ChunkWriter", "ConnectionChanges",
        "CredentialChanges.next", "CredentialChanges.set", "DeadLetterMirror", "DeadLetterReading", "DeadLetterRecords",
        "DeliveryReading", "DirectoryReading", "EmailSettings",
        "Inbox", "Ledger.page", "OutboxStore", "Principals", "RunCancellation", "RunDivision.count", "RunReading", "RunRepair",
        "SavedViews", "ScheduleFirings", "Schedules", "StartService", "TenantReading", "TokenReading", "TransitionWriter",
        "UserReading", "Webhooks"],
    "console": [
        "AccessReading", "AuditReading", "AuditVerification", "AuthorityReading.facts", "BackupComparison", "BackupReading",
        "BarrierReading", "BulkCandidates", "DeadLetterReading.page", "DeadLetterReading.one", "DeadLetterReading.numbers",
        "DeliveryReading.ofRun", "DeliveryReading.ofWebhook", "DeliveryReading.ofWorkspace", "DeliveryReading.one",
        "DeliveryReading.tries", "DirectoryReading", "EmailSettings.read", "FreezeReading", "Inbox.page", "Inbox.unread", "Inbox.mark",
        "Inbox.news", "Ledger.page", "LocalAccounts.find", "LocalAccounts.identity", "NameReading",
        "OperationsFigures", "Principals.find", "Principals.mark", "RecentRuns", "RunReading", "SavedViews.read",
        "Schedules.page", "Sessions", "SignInAttempts", "StartService.facts", "TenantReading", "TokenReading", "UserReading",
        "Webhooks.page", "Webhooks.keys"],
}
# The operator's command alone freezes everything.
NOT_A_SERVICES = {"AuthorityPlan.freezeEverything"}
# Rights that no plan shows: what functions read, and what the checks of readiness do.
UNPLANNED = {
    ("bulk_consumer", "SELECT", "inventory_devices"), ("starter", "SELECT", "inventory_devices"),
    ("notifier", "SELECT", "delivery_tries"), ("starter", "SELECT", "schema_migrations"),
}

LITERAL = re.compile(r'"""\n(.*?)"""|"([^"\n]*)"', re.S)
SQL = re.compile(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b")
NAME = re.compile(r"\b(?:let|var|func)\s+(\w+)")

passed = failed = 0


def tell(good, text):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    if not good:
        print(f"  FAILED {text}")


def statements(sources):
    """All SQL of the sources: the file's name with the statement's, and its text."""
    for file in sorted(pathlib.Path(sources).glob("*.swift")):
        text = file.read_text()
        for literal in LITERAL.finditer(text):
            sql = (literal.group(1) or literal.group(2) or "").replace("\\\\", "\\")
            if SQL.match(sql):
                yield f"{file.stem}.{NAME.findall(text[:literal.start()])[-1]}", sql


def belongs(name, service):
    return name not in NOT_A_SERVICES and (name in SERVICES[service] or name.split(".")[0] in SERVICES[service])


class Database:
    def __init__(self):
        self.connection = psycopg2.connect(os.environ["ADMIN_DATABASE_URL"])
        self.cursor = self.connection.cursor()

    def run(self, sql):
        self.cursor.execute(sql)

    def rows(self, sql):
        self.run(sql)
        return self.cursor.fetchall()

    def refusal(self, role, sql):
        """Why the role may not plan the statement; nothing when it may."""
        count = max([int(number) for number in re.findall(r"\$(\d+)", sql)], default=0)
        values = f"({','.join(['NULL'] * count)})" if count else ""
        self.run("SAVEPOINT here")
        try:
            self.run(f"PREPARE planned AS {sql}")
            self.run(f"SET LOCAL ROLE tenantatlas_{role}")
            self.run(f"EXPLAIN EXECUTE planned{values}")
            return None
        except psycopg2.errors.InsufficientPrivilege as refusal:
            return str(refusal).splitlines()[0]
        finally:
            self.run("ROLLBACK TO here")
            self.run("DEALLOCATE ALL")


GRANTS = """
    SELECT grantee, privilege_type, table_name, NULL FROM information_schema.role_table_grants
    WHERE grantee = %(role)s AND table_schema = 'public'
    UNION ALL
    SELECT grantee, privilege_type, table_name, column_name FROM information_schema.column_privileges c
    WHERE grantee = %(role)s AND table_schema = 'public' AND NOT EXISTS (
        SELECT FROM information_schema.role_table_grants t
        WHERE t.grantee = c.grantee AND t.table_name = c.table_name AND t.privilege_type = c.privilege_type)"""


def check(database, service, sql):
    own = [(name, text) for name, text in sql if belongs(name, service)]
    for name, text in own:
        refusal = database.refusal(service, text)
        tell(refusal is None, f"{service} can't run {name}: {refusal}")
    database.cursor.execute(GRANTS, {"role": f"tenantatlas_{service}"})
    for grantee, right, table, column in database.cursor.fetchall():
        if (service, right, table) in UNPLANNED:
            continue
        database.run("SAVEPOINT grants")
        database.run(f"REVOKE {right}{f' ({column})' if column else ''} ON {table} FROM {grantee}")
        needed = any(database.refusal(service, text) for _, text in own)
        database.run("ROLLBACK TO grants")
        tell(needed, f"{service} needs no {right} on {table}{f' ({column})' if column else ''}")


sql = list(statements(sys.argv[1]))
tell(len(sql) > 150, f"only {len(sql)} statements were found")
known = {name.split(".")[0] for name, _ in sql} | {name for name, _ in sql}
for service, names in SERVICES.items():
    for name in names:
        tell(name in known, f"{service}: there is no statement {name}")
database = Database()
for service in SERVICES:
    before = passed
    check(database, service, sql)
    print(f"  {service}: {passed - before} statements and rights are as they should be", flush=True)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
