internal import FoundationEssentials
package import Operations
package import Postgres

/// What a change of authority would stop: looked at by making the change, asking the gate about everything that is
/// queued or executes, and taking the change back. The change's own statements and the gate's own facts are used, so
/// that what is told is what would happen.
package struct AuthorityPreview: Sendable {
    /// A queued or executing run that the gate would refuse.
    package struct Run: Sendable, Hashable {
        package let id: RunID
        /// The stored name; it may be one that this version does not know.
        package let operation: String
        package let tenant: String
        /// Who started it; nil for the system.
        package let initiator: String?
        package let state: RunState
        package let reason: DenialReason
        /// It ends; else it waits until what stopped it has passed.
        package var ends: Bool { !reason.isRetryable }
    }

    /// An enabled schedule whose due runs would be refused.
    package struct Orphan: Sendable, Hashable {
        package let id: ScheduleID
        package let operation: String
        package let tenant: String
        /// As whom it starts runs; nil under the system's authority.
        package let person: String?
        package let reason: DenialReason
    }

    package struct Outlook: Sendable, Hashable {
        package internal(set) var runs: [Run] = []
        package internal(set) var schedules: [Orphan] = []
        /// False when there are more runs or schedules than are looked at.
        package internal(set) var isWhole = true
    }

    /// The most active runs, and the most schedules, that are looked at.
    package static let limit = 5_000

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// What the change would stop that is not stopped now. Nothing is changed, written down or waited for; whoever
    /// changes the same rows meanwhile waits for a moment. Throws ``StoreError/notFound(_:)`` when there is nothing to
    /// change.
    package func outlook(_ change: AuthorityChange, in workspace: WorkspaceID) async throws -> Outlook {
        struct TakenBack: Error {}
        let plan = AuthorityPlan(change, workspace, by: .system)
        var outlook = Outlook()
        do {
            try await pool.transaction { transaction in
                let subject = try await Subjects(in: plan.concerns == .all ? nil : workspace, transaction)
                let before = try await subject.denials(transaction)
                guard try await !transaction.query(plan.statement, plan.parameters).isEmpty else {
                    throw StoreError.notFound(plan.subject)
                }
                let after = try await subject.denials(transaction)
                outlook = subject.outlook(before, after)
                throw TakenBack()
            }
        } catch is TakenBack {}
        return outlook
    }

    // MARK: what is looked at

    private struct Denials {
        var runs: [RunID: DenialReason] = [:]
        var schedules: [ScheduleID: DenialReason] = [:]
    }

    private struct Subjects {
        private struct ActiveRun {
            let id: RunID
            let operation: String
            let tenant: String
            let initiator: String?
            let state: RunState
        }

        private struct EnabledSchedule {
            let id: ScheduleID
            let request: StartRequest
            let tenant: String
            let person: String?
        }

        private let runs: [ActiveRun]
        private let schedules: [EnabledSchedule]
        private let isWhole: Bool

        private static let active: Statement = """
            SELECT r.id, r.operation, r.state, t.name AS tenant, u.name AS initiator
            FROM runs r JOIN tenants t ON t.id = r.tenant_id LEFT JOIN users u ON u.id = r.initiator_id
            WHERE r.completed_at IS NULL AND ($1::uuid IS NULL OR r.workspace_id = $1::uuid)
            ORDER BY r.id LIMIT $2::int
            """

        private static let enabled: Statement = """
            SELECT s.id, s.operation, s.parameters::text AS parameters, s.connection_id, s.user_id, t.name AS tenant,
                   u.name AS person
            FROM schedules s JOIN tenants t ON t.id = s.tenant_id LEFT JOIN users u ON u.id = s.user_id
            WHERE s.enabled AND ($1::uuid IS NULL OR s.workspace_id = $1::uuid)
            ORDER BY s.id LIMIT $2::int
            """

        /// Those of a workspace, or (nil) of all.
        init(in workspace: WorkspaceID?, _ transaction: Transaction) async throws {
            let parameters: [Parameter] = [
                workspace.map { .uuid($0.uuid) } ?? .null, .int(AuthorityPreview.limit + 1),
            ]
            let rows = try await transaction.pipeline([
                (Self.active, parameters), (Self.enabled, parameters),
            ])
            runs = try rows[0].prefix(AuthorityPreview.limit).map { row in
                ActiveRun(
                    id: RunID(try row.uuid("id")), operation: try row.text("operation"),
                    tenant: try row.text("tenant"), initiator: try row.textOrNil("initiator"),
                    state: try row.runState("state"))
            }
            schedules = try rows[1].prefix(AuthorityPreview.limit).map { row in
                let id = ScheduleID(try row.uuid("id"))
                return EnabledSchedule(
                    id: id,
                    request: StartRequest(
                        operation: try row.text("operation"),
                        connectionID: ConnectionID(try row.uuid("connection_id")),
                        parameters: try row.parameters("parameters"),
                        initiatorID: try row.uuidOrNil("user_id").map(UserID.init), origin: .schedule,
                        scheduleID: id),
                    tenant: try row.text("tenant"), person: try row.textOrNil("person"))
            }
            isWhole = rows.allSatisfy { $0.count <= AuthorityPreview.limit }
        }

        /// What the gate refuses as things are in the transaction.
        func denials(_ transaction: Transaction) async throws -> Denials {
            let requests = schedules.map(\.request)
            let rows = try await transaction.pipeline([
                (AuthorityReading.facts, [.uuids(runs.map(\.id.uuid)), .null]),
                (StartService.facts, StartService.asking(requests)),
            ])
            var denials = Denials()
            for row in rows[0] {
                let reading = try AuthorityReadingRow(row)
                let phase: LegitimacyDecision.Phase = reading.run.state == .queued ? .begin : .call
                let decision = LegitimacyGate.decide(
                    reading.run.execution, attempt: reading.run.attempt, phase: phase, facts: reading.facts)
                denials.runs[reading.run.execution.runID] = decision.denial
            }
            for (schedule, row) in zip(schedules, rows[1]) {
                guard let facts = try StartService.startFacts(row) else { continue }
                denials.schedules[schedule.id] = StartGate.obstacle(
                    schedule.request, facts: facts, now: try row.date("read_at"))
            }
            return denials
        }

        /// What is refused afterwards and was not before.
        func outlook(_ before: Denials, _ after: Denials) -> Outlook {
            Outlook(
                runs: runs.compactMap { run in
                    guard let reason = after.runs[run.id], reason != before.runs[run.id] else { return nil }
                    return Run(
                        id: run.id, operation: run.operation, tenant: run.tenant, initiator: run.initiator,
                        state: run.state, reason: reason)
                },
                schedules: schedules.compactMap { schedule in
                    guard let reason = after.schedules[schedule.id], reason != before.schedules[schedule.id]
                    else { return nil }
                    return Orphan(
                        id: schedule.id, operation: schedule.request.operation, tenant: schedule.tenant,
                        person: schedule.person, reason: reason)
                }, isWhole: isWhole)
        }
    }
}
