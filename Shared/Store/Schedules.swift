package import FoundationEssentials
package import JSON
package import Operations
package import Postgres

/// A schedule as people see it.
package struct Schedule: Sendable, Hashable {
    package typealias Named = RunSummary.Named

    /// The latest run that it started.
    package struct LastRun: Sendable, Hashable {
        package let id: RunID
        package let state: RunState
        package let outcome: RunOutcome?
        package let reason: RunReason?
        package let queuedAt: Date
    }

    package let id: ScheduleID
    package let workspaceID: WorkspaceID
    package let tenant: Named<Subject.Tenant>
    package let connection: Named<Subject.Connection>
    /// The operation's stored name; it may be one that this version does not know.
    package let operation: String
    /// What it asks of the operation beyond its name; nil when that is nothing.
    package let parameters: JSON?
    package let cron: String
    package let timeZone: String
    /// As whom it starts runs; nil under the system's authority.
    package let person: Named<Subject.User>?
    package let isEnabled: Bool
    /// The moment that is fired next; nil while it is disabled.
    package let nextDueAt: Date?
    /// What is in the way of a moment that was due.
    package let waitsFor: String?
    package let createdBy: Named<Subject.User>
    package let createdAt: Date
    package let changedAt: Date
    package let lastRun: LastRun?
    /// Why it would be refused if it were due now; nil when it would not.
    package internal(set) var obstacle: DenialReason?

    /// When it is due; nil when this version can't read it.
    package var cadence: Cadence? { Cadence(cron: cron, timeZone: timeZone) }
}

/// What a schedule is to be.
package struct NewSchedule: Sendable, Hashable {
    package let connectionID: ConnectionID
    package let operation: OperationType
    /// What is asked of the operation beyond its name, in the form that ``RunParameters/accept(_:for:)`` gives it.
    package let parameters: JSON?
    package let cadence: Cadence
    /// Nil for the system's authority.
    package let person: UserID?

    package init(
        connectionID: ConnectionID, operation: OperationType, parameters: JSON? = nil, cadence: Cadence,
        person: UserID?
    ) {
        self.connectionID = connectionID
        self.operation = operation
        self.parameters = parameters
        self.cadence = cadence
        self.person = person
    }
}

/// Makes, shows, switches and removes schedules. Who may do so is for the caller to decide. ``ScheduleFirings`` fires
/// them.
package struct Schedules: Sendable {
    /// What came of the wish for a new one.
    package enum Creation: Sendable, Hashable {
        case created(ScheduleID)
        /// There is one that is the same, enabled or not.
        case exists(ScheduleID)
        /// The tenant has as many as it may.
        case tooMany
    }

    /// The most schedules of one tenant.
    package static let tenantLimit = 200

    private let pool: PostgresPool
    private let makeID: @Sendable () -> UUID

    /// `makeID` makes ids in the order of time.
    package init(pool: PostgresPool, makeID: @escaping @Sendable () -> UUID) {
        self.pool = pool
        self.makeID = makeID
    }

    // MARK: changing

    private static let place: Statement = """
        SELECT c.workspace_id, c.tenant_id, clock_timestamp() AS now,
               (SELECT count(*) FROM schedules s WHERE s.tenant_id = c.tenant_id) AS count,
               (SELECT s.id FROM schedules s
                WHERE s.connection_id = c.id AND s.operation = $2 AND s.cron = $3 AND s.time_zone = $4
                  AND s.user_id IS NOT DISTINCT FROM $5::uuid AND s.parameters IS NOT DISTINCT FROM $6::jsonb) AS same_id
        FROM provider_connections c WHERE c.id = $1::uuid
        FOR NO KEY UPDATE OF c
        """

    private static let insert: Statement = """
        WITH made AS (
            INSERT INTO schedules (id, workspace_id, tenant_id, connection_id, operation, cron, time_zone, user_id,
                                   next_due_at, look_at, created_by, parameters)
            SELECT $1::uuid, workspace_id, tenant_id, id, $3, $4, $5, $6::uuid, $7::timestamptz, $7::timestamptz,
                   $8::uuid, $11::jsonb
            FROM provider_connections WHERE id = $2::uuid
            RETURNING id, workspace_id, tenant_id
        )
        INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
        SELECT $9, workspace_id, tenant_id, $8::uuid, $10::jsonb FROM made
        """

    /// Makes a schedule, enabled. Under the connection's lock, so that of two that are the same one is made. Throws
    /// ``StoreError/notFound(_:)`` when there is no such connection.
    package func create(_ new: NewSchedule, by user: UserID) async throws -> Creation {
        try await pool.transaction { transaction in
            let cron = new.cadence.expression.text
            let zone = new.cadence.zone.name
            let person = new.person.map { Parameter.uuid($0.uuid) } ?? .null
            let parameters = new.parameters.map { Parameter.json($0.text) } ?? .null
            let rows = try await transaction.query(
                Self.place,
                [
                    .uuid(new.connectionID.uuid), .text(new.operation.rawValue), .text(cron), .text(zone),
                    person, parameters,
                ])
            guard let row = rows.first else { throw StoreError.notFound("connection") }
            if let same = try row.uuidOrNil("same_id") { return .exists(ScheduleID(same)) }
            guard try row.int("count") < Self.tenantLimit else { return .tooMany }
            let id = ScheduleID(makeID())
            let next = new.cadence.next(after: try row.date("now"))
            let details: JSON = [
                "schedule_id": .string("\(id)"), "operation": .string(new.operation.rawValue),
                "provider_connection_id": .string("\(new.connectionID)"), "cron": .string(cron),
                "time_zone": .string(zone), "user_id": .optional(new.person?.description),
                "parameters": new.parameters ?? .null,
            ]
            _ = try await transaction.finish(
                Self.insert,
                [
                    .uuid(id.uuid), .uuid(new.connectionID.uuid), .text(new.operation.rawValue), .text(cron),
                    .text(zone), person, .timestamp(next), .uuid(user.uuid),
                    .text(AuditAction.scheduleCreated.rawValue), .json(details.text), parameters,
                ])
            return .created(id)
        }
    }

    private static let lock: Statement = """
        SELECT cron, time_zone, enabled, clock_timestamp() AS now FROM schedules WHERE id = $1::uuid FOR UPDATE
        """

    private static let change: Statement = """
        WITH changed AS (
            UPDATE schedules SET enabled = $2::timestamptz IS NOT NULL, next_due_at = $2::timestamptz,
                                 look_at = $2::timestamptz, waits_for = NULL, changed_at = clock_timestamp()
            WHERE id = $1::uuid
            RETURNING id, workspace_id, tenant_id
        )
        INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
        SELECT $3, workspace_id, tenant_id, $4::uuid, jsonb_build_object('schedule_id', id) FROM changed
        """

    /// Switches a schedule on or off; nothing happens when it is so already. What was due while it was off is not made
    /// up for. Throws ``StoreError``: `notFound` when there is no such schedule, `unreadable` when it is to be switched
    /// on and this version can't read when it is due.
    package func setEnabled(_ id: ScheduleID, _ isEnabled: Bool, by user: UserID) async throws {
        try await pool.transaction { transaction in
            let rows = try await transaction.query(Self.lock, [.uuid(id.uuid)])
            guard let row = rows.first else { throw StoreError.notFound("schedule") }
            guard try row.bool("enabled") != isEnabled else { return }
            var next: Date?
            if isEnabled {
                let cron = try row.text("cron")
                guard let cadence = Cadence(cron: cron, timeZone: try row.text("time_zone")) else {
                    throw StoreError.unreadable("cron", cron)
                }
                next = cadence.next(after: try row.date("now"))
            }
            let action: AuditAction = isEnabled ? .scheduleEnabled : .scheduleDisabled
            _ = try await transaction.finish(
                Self.change,
                [
                    .uuid(id.uuid), next.map(Parameter.timestamp) ?? .null, .text(action.rawValue),
                    .uuid(user.uuid),
                ])
        }
    }

    private static let remove: Statement = """
        WITH removed AS (
            DELETE FROM schedules WHERE id = $1::uuid RETURNING *
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
            SELECT $2, workspace_id, tenant_id, $3::uuid,
                   jsonb_build_object('schedule_id', id, 'operation', operation, 'provider_connection_id', connection_id,
                                      'cron', cron, 'time_zone', time_zone, 'user_id', user_id,
                                      'parameters', parameters)
            FROM removed
        )
        SELECT id FROM removed
        """

    /// Removes a schedule; the runs that it started stay. Throws ``StoreError/notFound(_:)`` when there is none.
    package func remove(_ id: ScheduleID, by user: UserID) async throws {
        let rows = try await pool.query(
            Self.remove, [.uuid(id.uuid), .text(AuditAction.scheduleRemoved.rawValue), .uuid(user.uuid)])
        if rows.isEmpty { throw StoreError.notFound("schedule") }
    }

    // MARK: showing

    private static let page: Statement = """
        SELECT s.id, s.workspace_id, s.tenant_id, t.name AS tenant_name, s.connection_id, c.display_name,
               s.operation, s.parameters::text AS parameters, s.cron, s.time_zone, s.user_id, u.name AS user_name, s.enabled, s.next_due_at,
               s.waits_for, s.created_by, b.name AS creator_name, s.created_at, s.changed_at,
               r.id AS run_id, r.state, r.outcome, r.reason_code, r.queued_at
        FROM schedules s
        JOIN tenants t ON t.id = s.tenant_id
        JOIN provider_connections c ON c.id = s.connection_id
        JOIN users b ON b.id = s.created_by
        LEFT JOIN users u ON u.id = s.user_id
        LEFT JOIN LATERAL (
            SELECT r.id, r.state, r.outcome, r.reason_code, r.queued_at FROM runs r
            WHERE r.schedule_id = s.id ORDER BY r.queued_at DESC LIMIT 1
        ) r ON true
        WHERE s.tenant_id = ANY ($1::uuid[]) AND s.id > $2::uuid AND ($3::uuid IS NULL OR s.id = $3::uuid)
        ORDER BY s.id LIMIT $4::int
        """

    /// The schedules of the tenants, in the order in which they were made.
    package func list(of tenants: [TenantID], after: ScheduleID?, limit: Int) async throws -> Page<Schedule> {
        let rows = try await pool.query(
            Self.page,
            [
                .uuids(tenants.map(\.uuid)), .uuid(after?.uuid ?? Self.first), .null,
                .int(Page<Schedule>.rows(for: limit)),
            ]
        ).map(Schedule.init)
        return Page(rows: try await judged(rows), limit: limit)
    }

    private static let tenant: Statement = "SELECT tenant_id FROM schedules WHERE id = $1::uuid"

    /// One schedule; nil when there is none.
    package func schedule(_ id: ScheduleID) async throws -> Schedule? {
        guard let row = try await pool.query(Self.tenant, [.uuid(id.uuid)]).first else { return nil }
        let rows = try await pool.query(
            Self.page, [.uuids([try row.uuid("tenant_id")]), .uuid(Self.first), .uuid(id.uuid), .int(1)])
        return try await judged(rows.map(Schedule.init)).first
    }

    /// The schedules with what would be in their way now.
    private func judged(_ schedules: [Schedule]) async throws -> [Schedule] {
        let obstacles = try await StartOutlook(pool: pool).obstacles(of: schedules.map(\.request))
        return zip(schedules, obstacles).map { schedule, obstacle in
            var schedule = schedule
            schedule.obstacle = obstacle
            return schedule
        }
    }

    /// Below every id.
    private static let first = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
}

extension Schedule {
    /// What it asks for when it is due, without a due moment.
    fileprivate var request: StartRequest {
        StartRequest(
            operation: operation, connectionID: connection.id, parameters: parameters,
            initiatorID: person?.id, origin: .schedule,
            scheduleID: id)
    }

    fileprivate init(_ row: Row) throws {
        self.init(
            id: ScheduleID(try row.uuid("id")), workspaceID: WorkspaceID(try row.uuid("workspace_id")),
            tenant: Named(id: TenantID(try row.uuid("tenant_id")), name: try row.text("tenant_name")),
            connection: Named(
                id: ConnectionID(try row.uuid("connection_id")), name: try row.text("display_name")),
            operation: try row.text("operation"),
            parameters: try row.parameters("parameters"), cron: try row.text("cron"),
            timeZone: try row.text("time_zone"),
            person: try row.uuidOrNil("user_id").map {
                Named(id: UserID($0), name: try row.text("user_name"))
            },
            isEnabled: try row.bool("enabled"), nextDueAt: try row.dateOrNil("next_due_at"),
            waitsFor: try row.textOrNil("waits_for"),
            createdBy: Named(id: UserID(try row.uuid("created_by")), name: try row.text("creator_name")),
            createdAt: try row.date("created_at"), changedAt: try row.date("changed_at"),
            lastRun: try row.uuidOrNil("run_id").map { run in
                LastRun(
                    id: RunID(run), state: try row.runState("state"),
                    outcome: try row.textOrNil("outcome").flatMap(RunOutcome.init),
                    reason: try row.textOrNil("reason_code").flatMap(RunReason.init(code:)),
                    queuedAt: try row.date("queued_at"))
            })
    }
}
