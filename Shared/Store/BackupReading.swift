package import FoundationEssentials
package import JSON
package import Operations
package import Postgres

/// A backup set as people see it.
package struct BackupSummary: Sendable, Hashable {
    /// The run that made it: a set has the id of its run.
    package let id: RunID
    package let tenant: RunSummary.Named<Subject.Tenant>
    package let connection: RunSummary.Named<Subject.Connection>
    package let kinds: [PolicyKind]
    package let startedAt: Date
    /// When everything of its kinds was read; nil while it is a part, or when it stayed one.
    package let completedAt: Date?
    /// SHA-256 over the content of a complete set: two backups of an unchanged tenant have the same.
    package let contentHash: [UInt8]?
    /// How many policies are in it.
    package let items: Int
}

/// The complete set of the same connection and kinds that came before a set.
package struct BackupPredecessor: Sendable, Hashable {
    package let id: RunID
    /// Whether the two have the same content; nil when the later one is only a part.
    package let isEqual: Bool?

    package init(id: RunID, isEqual: Bool?) {
        self.id = id
        self.isEqual = isEqual
    }
}

/// One policy of a backup set.
package struct BackupItem: Sendable, Hashable {
    /// Made from kind and policy: the same policy has the same id in every set of the connection.
    package let id: UUID
    package let kind: PolicyKind
    /// The provider's id of the policy.
    package let policyID: String
    package let name: String?
    /// The provider's type, where a kind has several.
    package let type: String?
    /// Which content it had: SHA-256 of its document. Equal versions are equal documents.
    package let version: [UInt8]
    /// How many secrets are masked in the document; they can't be restored from it.
    package let secrets: Int
}

/// A policy of a backup set with its document.
package struct BackupDocument: Sendable, Hashable {
    package let item: BackupItem
    /// The canonical form, with its parts: `assignments`, `settings`, `apps`, `scheduledActionsForRule`.
    package let content: JSONObject
}

/// Reads backup sets. Who may see them is for the caller to decide.
package struct BackupReading: Sendable {
    /// The most documents that are read at once: one may have megabytes.
    package static let documentLimit = 25

    let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let sets: Statement = """
        SELECT * FROM backup_summaries WHERE tenant_id = ANY ($1::uuid[]) AND id < $2::uuid
        ORDER BY id DESC LIMIT $3::int
        """

    /// The sets of these tenants, the latest first; those before `before`.
    package func sets(
        of tenants: [TenantID], before: RunID?, limit: Int
    ) async throws -> Page<BackupSummary> {
        let rows = try await pool.query(
            Self.sets,
            [
                .uuids(tenants.map(\.uuid)), .uuid(before?.uuid ?? RunReading.last),
                .int(Page<BackupSummary>.rows(for: limit)),
            ]
        ).map(BackupSummary.init)
        return Page(rows: rows, limit: limit)
    }

    /// Of a set the one before it: complete, of the same connection, and of the same kinds.
    private static let before: Statement = """
        SELECT b.id, p.id AS before_id, p.content_hash = b.content_hash AS is_equal
        FROM backup_sets b CROSS JOIN LATERAL (
            SELECT e.id, e.content_hash FROM backup_sets e
            WHERE e.tenant_id = b.tenant_id AND e.connection_id = b.connection_id AND e.kinds = b.kinds
              AND e.completed_at IS NOT NULL AND e.id < b.id
            ORDER BY e.id DESC LIMIT 1) p
        WHERE b.id = ANY ($1::uuid[])
        """

    /// What came before each of these sets; those that nothing came before are left out.
    package func predecessors(of sets: [RunID]) async throws -> [RunID: BackupPredecessor] {
        let rows = try await pool.query(Self.before, [.uuids(sets.map(\.uuid))])
        return try Dictionary(
            uniqueKeysWithValues: rows.map { row in
                (
                    RunID(try row.uuid("id")),
                    BackupPredecessor(
                        id: RunID(try row.uuid("before_id")), isEqual: try row.boolOrNil("is_equal"))
                )
            })
    }

    /// One set; nil when there is none.
    package func set(_ id: RunID) async throws -> BackupSummary? {
        try await pool.query(
            "SELECT * FROM backup_summaries WHERE id = $1::uuid", [.uuid(id.uuid)]
        ).first.map(BackupSummary.init)
    }

    private static let items: Statement = """
        SELECT i.item_id, i.kind, i.policy_id, i.name, i.type, i.hash, c.secrets
        FROM backup_items i JOIN policy_contents c ON c.tenant_id = i.tenant_id AND c.hash = i.hash
        WHERE i.tenant_id = $1::uuid AND i.backup_id = $2::uuid AND i.item_id > $3::uuid
        ORDER BY i.item_id LIMIT $4::int
        """

    /// The items of a set in the order of their ids; those after `after`.
    package func items(
        of set: RunID, in tenant: TenantID, after: UUID?, limit: Int
    ) async throws -> Page<BackupItem> {
        let rows = try await pool.query(
            Self.items,
            [
                .uuid(tenant.uuid), .uuid(set.uuid), .uuid(after ?? TenantReading.first),
                .int(Page<BackupItem>.rows(for: limit)),
            ]
        ).map(BackupItem.init)
        return Page(rows: rows, limit: limit)
    }

    private static let found: Statement = """
        SELECT i.item_id, i.kind, i.policy_id, i.name, i.type, i.hash, c.secrets
        FROM backup_items i JOIN policy_contents c ON c.tenant_id = i.tenant_id AND c.hash = i.hash
        WHERE i.tenant_id = $1::uuid AND i.backup_id = $2::uuid
          AND ($3::text IS NULL OR i.kind = $3) AND ($4::text IS NULL OR strpos(lower(i.name), lower($4)) > 0)
          AND ($5::uuid IS NULL OR (i.kind, coalesce(i.name, ''), i.item_id) > (
              SELECT a.kind, coalesce(a.name, ''), a.item_id FROM backup_items a
              WHERE a.tenant_id = $1::uuid AND a.backup_id = $2::uuid AND a.item_id = $5::uuid))
        ORDER BY i.kind, coalesce(i.name, ''), i.item_id LIMIT $6::int
        """

    /// The items of a set as people look for them: by kind and name, of one kind or of all, with `text` in their names (in any
    /// case) or all; those after `after`.
    package func items(
        of set: RunID, in tenant: TenantID, kind: PolicyKind?, named text: String?, after: UUID?, limit: Int
    ) async throws -> Page<BackupItem> {
        let rows = try await pool.query(
            Self.found,
            [
                .uuid(tenant.uuid), .uuid(set.uuid), kind.map { .text($0.rawValue) } ?? .null,
                text.map(Parameter.text) ?? .null, after.map(Parameter.uuid) ?? .null,
                .int(Page<BackupItem>.rows(for: limit)),
            ]
        ).map(BackupItem.init)
        return Page(rows: rows, limit: limit)
    }

    private static let documents: Statement = """
        SELECT i.item_id, i.kind, i.policy_id, i.name, i.type, i.hash, c.secrets, c.content
        FROM backup_items i JOIN policy_contents c ON c.tenant_id = i.tenant_id AND c.hash = i.hash
        WHERE i.tenant_id = $1::uuid AND i.backup_id = $2::uuid AND i.item_id = ANY ($3::uuid[])
        ORDER BY i.item_id
        """

    /// The chosen items of a set with their documents, in the order of their ids; ids that the set does not have
    /// are left out. At most ``documentLimit`` at once.
    package func documents(
        _ items: [UUID], of set: RunID, in tenant: TenantID
    ) async throws -> [BackupDocument] {
        precondition(items.count <= Self.documentLimit, "too many documents at once")
        return try await pool.query(
            Self.documents, [.uuid(tenant.uuid), .uuid(set.uuid), .uuids(items)]
        ).map(BackupDocument.init)
    }
}

extension BackupSummary {
    fileprivate init(_ row: Row) throws {
        self.init(
            id: RunID(try row.uuid("id")),
            tenant: RunSummary.Named(
                id: TenantID(try row.uuid("tenant_id")), name: try row.text("tenant_name")),
            connection: RunSummary.Named(
                id: ConnectionID(try row.uuid("connection_id")), name: try row.text("display_name")),
            kinds: try row.texts("kinds").map(PolicyKind.init(stored:)),
            startedAt: try row.date("started_at"),
            completedAt: try row.dateOrNil("completed_at"), contentHash: try row.bytesOrNil("content_hash"),
            items: try row.int("items"))
    }
}

extension BackupItem {
    init(_ row: Row) throws {
        self.init(
            id: try row.uuid("item_id"), kind: try PolicyKind(stored: row.text("kind")),
            policyID: try row.text("policy_id"), name: try row.textOrNil("name"),
            type: try row.textOrNil("type"), version: try row.bytes("hash"), secrets: try row.int("secrets"))
    }
}

extension BackupDocument {
    fileprivate init(_ row: Row) throws {
        let item = try BackupItem(row)
        guard let content = try JSON(parsing: row.bytes("content")).object else {
            throw StoreError.unreadable("content", "no object")
        }
        self.init(item: item, content: content)
    }
}

extension PolicyKind {
    init(stored word: String) throws {
        guard let kind = PolicyKind(rawValue: word) else { throw StoreError.unreadable("kind", word) }
        self = kind
    }
}
