import AMQP
import Fixtures
import Foundation
import GraphFixtures
import JSON
import JobRuntime
import Operations
import Postgres

/// What can be seen of the cases when all is over, and where it differs from the table.
struct CaseFindings {
    /// What is known of one run.
    private struct Finding {
        var state = ""
        var outcome: String?
        var reason: String?
        var attempt = 0
        /// The decision that stands in the run's own context, and the one in the audit, each with its reason and class.
        var inContext: [String?] = []
        var inAudit: [String?] = []
        var audit: [String] = []
        var told: [UUID] = []
        var permits = 0
        var deadLetters = 0
        var isCalled = false
    }

    private var findings: [RunID: Finding] = [:]

    /// Reads everything: rows, audit, notifications, dead letters, and the sandbox's journal.
    init(
        of all: [CaseRuns.Started], _ pool: PostgresPool, _ address: BrokerAddress, _ sandbox: SandboxProcess
    ) async throws {
        let ids = [Parameter.uuids(all.map(\.run.uuid))]
        try await readRuns(pool, ids)
        try await readTrails(pool, ids)
        try await readDeadLetters(address, Set(all.map(\.row.operation.family)))
        let called = try await Self.calledTenants(sandbox)
        for started in all where called.contains(started.place.entraTenant) {
            findings[started.run]?.isCalled = true
        }
    }

    private mutating func readRuns(_ pool: PostgresPool, _ ids: [Parameter]) async throws {
        let rows = try await pool.query(
            """
            SELECT r.id, r.state, r.outcome, r.reason_code, r.attempt, r.context->'legitimacy' AS legitimacy,
                   (SELECT count(*) FROM call_permits p WHERE p.run_id = r.id) AS permits
            FROM runs r WHERE r.id = ANY ($1::uuid[])
            """, ids)
        for row in rows {
            var finding = Finding()
            finding.state = try row.text("state")
            finding.outcome = try row.textOrNil("outcome")
            finding.reason = try row.textOrNil("reason_code")
            finding.attempt = try row.int("attempt")
            finding.permits = try row.int("permits")
            if let text = try row.jsonOrNil("legitimacy") {
                finding.inContext = Self.decision(try JSON(parsing: text))
            }
            findings[RunID(try row.uuid("id"))] = finding
        }
    }

    /// Audit and notifications.
    private mutating func readTrails(_ pool: PostgresPool, _ ids: [Parameter]) async throws {
        let audit = try await pool.query(
            """
            SELECT run_id, action, details->'decision' AS decision FROM audit
            WHERE run_id = ANY ($1::uuid[]) ORDER BY id
            """, ids)
        for row in audit {
            let run = RunID(try row.uuid("run_id"))
            findings[run]?.audit.append(try row.text("action"))
            if findings[run]?.inAudit.isEmpty == true, let text = try row.jsonOrNil("decision") {
                findings[run]?.inAudit = Self.decision(try JSON(parsing: text))
            }
        }
        let told = try await pool.query(
            "SELECT run_id, user_id FROM notifications WHERE run_id = ANY ($1::uuid[]) AND channel = 'inbox'",
            ids)
        for row in told { findings[RunID(try row.uuid("run_id"))]?.told.append(try row.uuid("user_id")) }
    }

    private static func decision(_ json: JSON) -> [String?] {
        guard json.object != nil else { return [] }
        return [json["decision"]?.string, json["reason_code"]?.string, json["denial_class"]?.string]
    }

    private mutating func readDeadLetters(_ address: BrokerAddress, _ families: Set<OperationFamily>)
        async throws
    {
        for family in families {
            let reader = QueueReader(
                address: address, topology: JobTopology.starter,
                queue: JobTopology.deadLetters(of: JobTopology.queue(of: family)),
                bodyLimit: JobMessage.byteLimit,
                name: "findings")
            for message in try await reader.take(limit: 10_000).messages {
                let job = try JobMessage(body: message.body)
                findings[job.runID]?.deadLetters += 1
            }
            await reader.close()
        }
    }

    /// The directories of which anything was asked.
    private static func calledTenants(_ sandbox: SandboxProcess) async throws -> Set<String> {
        let journal = try await sandbox.control("GET", "/journal?limit=100000")
        return Set((journal["entries"]?.array ?? []).compactMap { $0["tenant"]?.string })
    }

    /// Everything that is not as the table says, a line each.
    func differences(from all: [CaseRuns.Started]) -> [String] {
        all.flatMap { started -> [String] in
            guard let finding = findings[started.run] else { return ["\(started.row): there is no such run"] }
            return Self.differences(finding, started).map { "\(started.row): \($0)" }
        }
    }

    private static func differences(_ found: Finding, _ started: CaseRuns.Started) -> [String] {
        let (row, expected) = (started.row, started.row.expectation)
        let decision = [expected.decision, row.reason?.rawValue, row.reason?.denialClass.rawValue]
        let waits = expected.state == "queued"
        var lines: [String] = []
        func check(_ what: String, _ is: some Equatable, _ should: some Equatable) {
            if "\(`is`)" != "\(should)" { lines.append("\(what) is \(`is`), not \(should)") }
        }
        check("state", found.state, expected.state)
        check("outcome", found.outcome ?? "none", expected.outcome ?? "none")
        check("reason", found.reason ?? "none", row.reason?.rawValue ?? "none")
        // What waits may have been looked at more than once by now.
        check("attempt moved on", found.attempt > started.attempt, waits)
        check("decision in the run", found.inContext, decision)
        check("decision in the audit", found.inAudit, decision)
        check("audit", waits ? Array(found.audit.prefix(2)) : found.audit, expected.audit)
        if waits { check("later audit", Set(found.audit.dropFirst()), ["run.waits"] as Set) }
        check("dead letters", found.deadLetters, expected.message == "dead_letter" ? 1 : 0)
        check("told", found.told, expected.told == "initiator" ? [started.place.person.uuid] : [])
        check("call permits opened", found.permits > 0, expected.calls)
        check("the provider is called", found.isCalled, expected.calls)
        return lines
    }
}
