package import FoundationEssentials
package import Operations
package import Postgres

/// One line of a person's inbox: a run has ended, or a webhook was switched off.
package struct InboxEntry: Sendable, Hashable {
    package let id: DeliveryID
    package let run: RunID
    package let tenant: RunSummary.Named<Subject.Tenant>
    /// How the run ended; nil for an entry that tells of a webhook.
    package let outcome: RunOutcome?
    package let title: String
    package let body: String
    package let createdAt: Date
    /// Nil when the person has not read it.
    package let readAt: Date?
}

/// Which entries of an inbox are asked for.
package struct InboxFilter: Sendable, Hashable {
    /// Only those that were not read.
    package var isUnread = false
    /// Only of runs that ended so.
    package var outcome: RunOutcome?

    package init() {}
}

/// People's inboxes, without what is on other tenants than those that the caller has decided on: whoever lost a tenant no
/// longer reads its name.
package struct Inbox: Sendable {
    /// How far unread entries are counted.
    package static let countLimit = 100
    /// The most new entries that are told at once: the latest.
    package static let newsLimit = 20

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let page: Statement = """
        SELECT n.id, n.run_id, n.tenant_id, t.name AS tenant_name, n.title, n.body, n.created_at, n.read_at,
               CASE WHEN n.webhook_id IS NULL THEN r.outcome END AS outcome
        FROM notifications n JOIN tenants t ON t.id = n.tenant_id JOIN runs r ON r.id = n.run_id
        WHERE n.user_id = $1::uuid AND n.channel = 'inbox' AND n.tenant_id = ANY ($2::uuid[])
          AND (n.run_id, n.id) < (coalesce((SELECT b.run_id FROM notifications b WHERE b.id = $3::uuid),
                                           'ffffffff-ffff-ffff-ffff-ffffffffffff'), $3::uuid)
          AND (NOT $5::bool OR n.read_at IS NULL)
          AND ($6::text IS NULL OR (r.outcome = $6 AND n.webhook_id IS NULL))
        ORDER BY n.run_id DESC, n.id DESC LIMIT $4::int
        """

    /// A page of the person's inbox, the latest runs first.
    package func list(
        of user: UserID, on tenants: [TenantID], _ filter: InboxFilter = InboxFilter(), before: DeliveryID?,
        limit: Int
    ) async throws -> Page<InboxEntry> {
        let rows = try await pool.query(
            Self.page,
            [
                .uuid(user.uuid), .uuids(tenants.map(\.uuid)), .uuid(before?.uuid ?? RunReading.last),
                .int(Page<InboxEntry>.rows(for: limit)), .bool(filter.isUnread),
                filter.outcome.map { .text($0.rawValue) } ?? .null,
            ]
        ).map(InboxEntry.init)
        return Page(rows: rows, limit: limit)
    }

    private static let unread: Statement = """
        SELECT count(*) AS count FROM (
            SELECT FROM notifications
            WHERE user_id = $1::uuid AND channel = 'inbox' AND read_at IS NULL AND tenant_id = ANY ($2::uuid[])
            LIMIT $3::int
        ) AS n
        """

    /// How many entries the person has not read; at most ``countLimit``.
    package func unread(of user: UserID, on tenants: [TenantID]) async throws -> Int {
        try await pool.query(
            Self.unread, [.uuid(user.uuid), .uuids(tenants.map(\.uuid)), .int(Self.countLimit)]
        )[0].int("count")
    }

    private static let mark: Statement = """
        SELECT count(*) AS count, max(created_at) AS latest FROM (
            SELECT created_at FROM notifications WHERE user_id = $1::uuid AND channel = 'inbox' AND read_at IS NULL
            ORDER BY created_at DESC LIMIT $2::int
        ) AS n
        """

    /// What changes whenever something is new or was read, and costs little to look at.
    package struct Mark: Sendable, Hashable {
        let count: Int
        let latest: Date?
    }

    package func mark(of user: UserID) async throws -> Mark {
        let row = try await pool.query(Self.mark, [.uuid(user.uuid), .int(Self.countLimit)])[0]
        return Mark(count: try row.int("count"), latest: try row.dateOrNil("latest"))
    }

    private static let news: Statement = """
        SELECT n.id, n.run_id, n.tenant_id, t.name AS tenant_name, n.title, n.body, n.created_at, n.read_at,
               CASE WHEN n.webhook_id IS NULL THEN r.outcome END AS outcome
        FROM notifications n JOIN tenants t ON t.id = n.tenant_id JOIN runs r ON r.id = n.run_id
        WHERE n.user_id = $1::uuid AND n.channel = 'inbox' AND n.read_at IS NULL AND n.created_at > $3::timestamptz
          AND n.tenant_id = ANY ($2::uuid[])
        ORDER BY n.created_at DESC LIMIT $4::int
        """

    /// What the person was told of since then and has not read, in order; the latest ``newsLimit``.
    package func news(
        of user: UserID, on tenants: [TenantID], since: Date
    ) async throws -> [InboxEntry] {
        try await pool.query(
            Self.news,
            [.uuid(user.uuid), .uuids(tenants.map(\.uuid)), .timestamp(since), .int(Self.newsLimit)]
        ).map(InboxEntry.init).reversed()
    }

    private static let read: Statement = """
        UPDATE notifications SET read_at = clock_timestamp()
        WHERE user_id = $1::uuid AND channel = 'inbox' AND read_at IS NULL
          AND ($2::timestamptz IS NULL OR created_at <= $2::timestamptz)
        """

    /// Notes that the person has read everything that was told until then, or (nil) everything.
    package func markRead(of user: UserID, until: Date?) async throws {
        _ = try await pool.query(
            Self.read, [.uuid(user.uuid), until.map(Parameter.timestamp) ?? .null])
    }
}

extension InboxEntry {
    fileprivate init(_ row: Row) throws {
        self.init(
            id: DeliveryID(try row.uuid("id")), run: RunID(try row.uuid("run_id")),
            tenant: RunSummary.Named(
                id: TenantID(try row.uuid("tenant_id")), name: try row.text("tenant_name")),
            outcome: try row.textOrNil("outcome").flatMap(RunOutcome.init), title: try row.text("title"),
            body: try row.text("body"), createdAt: try row.date("created_at"),
            readAt: try row.dateOrNil("read_at"))
    }
}
