package import FoundationEssentials
package import Operations
package import Postgres

/// A message that nobody could process, as people see it: where it lies, which run it names, and what is to be done with
/// it. What it says is not kept.
package struct DeadLetterSummary: Sendable, Hashable {
    package typealias Named = RunSummary.Named

    /// What somebody wants done with it.
    package struct Wished: Sendable, Hashable {
        package let word: DeadLetterWish
        package let by: Named<Subject.User>
        package let at: Date
    }

    package let id: DeadLetterID
    package let digest: String
    package let queue: String
    /// How many lie there that are the same in everything.
    package let count: Int
    package let run: RunID
    /// The stored name of the run's operation.
    package let operation: String
    package let tenant: Named<Subject.Tenant>
    /// Why it was refused, in the broker's word.
    package let reason: String?
    package let diedAt: Date?
    package let firstSeenAt: Date
    package let messageID: String?
    package let type: String?
    /// In bytes.
    package let size: Int
    package let wished: Wished?
    /// Why it was not put back when somebody wanted it.
    package let trouble: String?
}

/// Shows which messages nobody could process, and asks for something to be done with one. Who may do so is for the caller
/// to decide; ``DeadLetterMirror`` keeps what is shown.
package struct DeadLetterReading: Sendable {
    /// What is known of the queues.
    package struct Overview: Sendable, Hashable {
        /// Those that name no run of any workspace.
        package let unnamed: Int
        /// Those that lie behind the oldest ones that were looked at.
        package let behind: Int
        /// When all queues had been gone through at least once; nil when one never was.
        package let lookedAt: Date?
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    // MARK: showing

    private static let page: Statement = """
        SELECT * FROM dead_letter_summaries
        WHERE workspace_id = $1::uuid AND tenant_id = ANY ($2::uuid[])
          AND (coalesce(died_at, '-infinity'), id)
              < (coalesce((SELECT coalesce(b.died_at, '-infinity') FROM dead_letters b WHERE b.id = $3::uuid), 'infinity'),
                 $3::uuid)
        ORDER BY coalesce(died_at, '-infinity') DESC, id DESC LIMIT $4::int
        """

    /// Those that name runs on the tenants, the latest dead first.
    package func list(
        in workspace: WorkspaceID, on tenants: [TenantID], before: DeadLetterID?, limit: Int
    ) async throws -> Page<DeadLetterSummary> {
        let rows = try await pool.query(
            Self.page,
            [
                .uuid(workspace.uuid), .uuids(tenants.map(\.uuid)), .uuid(before?.uuid ?? RunReading.last),
                .int(Page<DeadLetterSummary>.rows(for: limit)),
            ]
        ).map(DeadLetterSummary.init)
        return Page(rows: rows, limit: limit)
    }

    private static let one: Statement = "SELECT * FROM dead_letter_summaries WHERE id = $1::uuid"

    /// One that names a run; nil when there is none.
    package func letter(_ id: DeadLetterID) async throws -> DeadLetterSummary? {
        try await pool.query(Self.one, [.uuid(id.uuid)]).first.map(DeadLetterSummary.init)
    }

    private static let numbers: Statement = """
        SELECT coalesce(sum(l.count) FILTER (WHERE l.run_id IS NULL), 0)::int AS unnamed,
               greatest(0, (SELECT coalesce(sum(depth), 0) FROM dead_letter_queues) - coalesce(sum(l.count), 0))::int
                   AS behind,
               (SELECT CASE WHEN bool_and(looked_at IS NOT NULL) THEN max(looked_at) END FROM dead_letter_queues)
                   AS looked_at
        FROM dead_letters l WHERE l.missed_at IS NULL
        """

    /// Of all workspaces: these messages belong to none.
    package func overview() async throws -> Overview {
        let row = try await pool.query(Self.numbers)[0]
        return Overview(
            unnamed: try row.int("unnamed"), behind: try row.int("behind"),
            lookedAt: try row.dateOrNil("looked_at"))
    }

    // MARK: wishing

    private static let find: Statement = """
        SELECT FROM dead_letters
        WHERE id = $1::uuid AND workspace_id = $2::uuid AND missed_at IS NULL
        FOR UPDATE
        """

    private static let wish: Statement = """
        WITH wished AS (
            UPDATE dead_letters
            SET wish = $2, wished_by = $3::uuid, wished_at = clock_timestamp(), note = $4, trouble = NULL
            WHERE id = $1::uuid AND (wish IS DISTINCT FROM $2 OR note IS DISTINCT FROM $4)
            RETURNING workspace_id, tenant_id, run_id, queue, digest, size, note
        )
        INSERT INTO audit (action, workspace_id, tenant_id, actor_id, run_id, details)
        SELECT $5, workspace_id, tenant_id, $3::uuid, run_id,
               json_build_object('wish', $2::text, 'queue', queue, 'digest', digest, 'size', size, 'note', note)
        FROM wished
        """

    /// Notes that something is to be done with a message, in place of what was wanted before; the same again does nothing.
    /// ``DeadLetterMirror`` hands it to whoever does it. `note` is 1 to 500 characters, and needed to drop one. Throws
    /// ``StoreError/notFound(_:)`` when it does not lie there.
    package func wish(
        _ wish: DeadLetterWish, for id: DeadLetterID, note: String?, in workspace: WorkspaceID,
        by user: UserID
    ) async throws {
        try await pool.transaction { transaction in
            let rows = try await transaction.query(Self.find, [.uuid(id.uuid), .uuid(workspace.uuid)])
            if rows.isEmpty { throw StoreError.notFound("dead letter") }
            _ = try await transaction.finish(
                Self.wish,
                [
                    .uuid(id.uuid), .text(wish.rawValue), .uuid(user.uuid),
                    note.map(Parameter.text) ?? .null, .text(AuditAction.deadLetterWished.rawValue),
                ])
        }
    }
}

extension DeadLetterSummary {
    fileprivate init(_ row: Row) throws {
        let wish = try row.textOrNil("wish")
        self.init(
            id: DeadLetterID(try row.uuid("id")), digest: try row.text("digest"),
            queue: try row.text("queue"), count: try row.int("count"), run: RunID(try row.uuid("run_id")),
            operation: try row.text("operation"),
            tenant: Named(id: TenantID(try row.uuid("tenant_id")), name: try row.text("tenant_name")),
            reason: try row.textOrNil("reason"), diedAt: try row.dateOrNil("died_at"),
            firstSeenAt: try row.date("first_seen_at"), messageID: try row.textOrNil("message_id"),
            type: try row.textOrNil("type"), size: try row.int("size"),
            wished: try wish.map { word in
                guard let known = DeadLetterWish(rawValue: word) else {
                    throw StoreError.unreadable("wish", word)
                }
                return Wished(
                    word: known,
                    by: Named(id: UserID(try row.uuid("wished_by")), name: try row.text("wisher_name")),
                    at: try row.date("wished_at"))
            }, trouble: try row.textOrNil("trouble"))
    }
}
