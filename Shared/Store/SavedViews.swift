internal import FoundationEssentials
package import Operations
package import Postgres

/// A filter of the list of runs that a person has named.
package struct SavedView: Sendable, Hashable {
    package let id: SavedViewID
    package let name: String
    /// As it stands in the filter bar.
    package let query: String
}

/// The named filters of each person, who keeps and removes their own.
package struct SavedViews: Sendable {
    /// The most of one person.
    package static let userLimit = 20
    /// The longest name and the longest query, in characters.
    package static let nameLimit = 60
    package static let queryLimit = 500

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let read: Statement =
        "SELECT id, name, query FROM saved_views WHERE user_id = $1::uuid ORDER BY lower(name), id LIMIT $2::int"

    /// All of a person's, by their names.
    package func views(of user: UserID) async throws -> [SavedView] {
        try await pool.query(Self.read, [.uuid(user.uuid), .int(Self.userLimit)]).map { row in
            SavedView(
                id: SavedViewID(try row.uuid("id")), name: try row.text("name"), query: try row.text("query"))
        }
    }

    /// A statement of its own, so that the limit holds.
    private static let lock: Statement = "SELECT FROM users WHERE id = $1::uuid FOR NO KEY UPDATE"

    private static let write: Statement = """
        INSERT INTO saved_views (id, workspace_id, user_id, name, query)
        SELECT $1::uuid, u.workspace_id, u.id, $3, $4 FROM users u
        WHERE u.id = $2::uuid
          AND (SELECT count(*) FROM saved_views v WHERE v.user_id = u.id AND v.name <> $3) < $5::int
        ON CONFLICT (user_id, name) DO UPDATE SET query = excluded.query
        RETURNING id, name, query
        """

    /// Keeps a filter under a name, in place of what the person called so before; nil when the person has ``userLimit``
    /// others. The caller has checked the lengths.
    package func keep(
        _ name: String, _ query: String, id: SavedViewID, of user: UserID
    ) async throws -> SavedView? {
        let results = try await pool.pipeline([
            (Self.lock, [.uuid(user.uuid)]),
            (
                Self.write,
                [.uuid(id.uuid), .uuid(user.uuid), .text(name), .text(query), .int(Self.userLimit)]
            ),
        ])
        return try results[1].first.map { row in
            SavedView(
                id: SavedViewID(try row.uuid("id")), name: try row.text("name"), query: try row.text("query"))
        }
    }

    private static let remove: Statement =
        "DELETE FROM saved_views WHERE id = $1::uuid AND user_id = $2::uuid RETURNING id"

    /// Throws ``StoreError/notFound(_:)`` when the person has no such one.
    package func remove(_ id: SavedViewID, of user: UserID) async throws {
        let rows = try await pool.query(Self.remove, [.uuid(id.uuid), .uuid(user.uuid)])
        if rows.isEmpty { throw StoreError.notFound("saved view") }
    }
}
