package import FoundationEssentials
package import Operations
package import Postgres

/// A group of a tenant's directory as people see it.
package struct GroupSummary: Sendable, Hashable {
    /// The directory's id of it: what assignments name.
    package let id: String
    package let name: String?
    /// The connection whose directory has it. Two connections may lead to the same one: then it is there twice.
    package let connection: RunSummary.Named<Subject.Connection>
    /// When a sync saw it last.
    package let seenAt: Date
    /// Where it stands in the list.
    package let position: DirectoryReading.Position
}

/// Reads the groups that syncs found. Who may see them is for the caller to decide.
package struct DirectoryReading: Sendable {
    /// A place in a list of groups, which is in the order of their names in small letters, of which the first 128
    /// characters count.
    package struct Position: Sendable, Hashable {
        package let name: String
        package let group: String
        package let connection: ConnectionID

        package init(name: String, group: String, connection: ConnectionID) {
            self.name = name
            self.group = group
            self.connection = connection
        }

        /// Before every group.
        static let first = Position(name: "", group: "", connection: ConnectionID(TenantReading.first))
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let groups: Statement = """
        SELECT g.group_id, g.display_name, left(g.folded_name, 128) AS sort_name, g.connection_id,
               c.display_name AS connection_name, g.seen_at
        FROM directory_groups g JOIN provider_connections c ON c.id = g.connection_id
        WHERE g.tenant_id = $1::uuid AND g.gone_at IS NULL
          AND (left(g.folded_name, 128), g.group_id, g.connection_id) > ($2::text, $3::text, $4::uuid)
          AND ($5::text IS NULL OR position($5::text IN g.folded_name) > 0)
          AND ($7::uuid IS NULL OR g.connection_id = $7::uuid)
        ORDER BY left(g.folded_name, 128), g.group_id, g.connection_id LIMIT $6::int
        """

    /// The tenant's groups whose name contains `name`, in any letter case, or all of them; in the order of their
    /// names, those after `after` first. Those that are gone are left out. `connection`: only those of its directory.
    package func groups(
        of tenant: TenantID, on connection: ConnectionID? = nil, named name: String?, after: Position?,
        limit: Int
    ) async throws -> Page<GroupSummary> {
        let after = after ?? .first
        let rows = try await pool.query(
            Self.groups,
            [
                .uuid(tenant.uuid), .text(after.name), .text(after.group), .uuid(after.connection.uuid),
                name.map { .text(DirectoryGroups.folded($0)) } ?? .null,
                .int(Page<GroupSummary>.rows(for: limit)), connection.map { .uuid($0.uuid) } ?? .null,
            ]
        ).map(GroupSummary.init)
        return Page(rows: rows, limit: limit)
    }

    private static let name: Statement = """
        SELECT g.display_name FROM provider_connections c
        JOIN directory_groups g ON g.tenant_id = c.tenant_id AND g.connection_id = c.id
        WHERE c.id = $1::uuid AND g.group_id = $2 AND g.gone_at IS NULL
        """

    /// What a group of a connection's directory is called: its id when it has no name; nil when there is none.
    package func name(ofGroup id: String, on connection: ConnectionID) async throws -> String? {
        try await pool.query(Self.name, [.uuid(connection.uuid), .text(id)]).first.map {
            try $0.textOrNil("display_name") ?? id
        }
    }
}

extension GroupSummary {
    fileprivate init(_ row: Row) throws {
        let id = try row.text("group_id")
        let connection = ConnectionID(try row.uuid("connection_id"))
        self.init(
            id: id, name: try row.textOrNil("display_name"),
            connection: RunSummary.Named(id: connection, name: try row.text("connection_name")),
            seenAt: try row.date("seen_at"),
            position: DirectoryReading.Position(
                name: try row.text("sort_name"), group: id, connection: connection))
    }
}
