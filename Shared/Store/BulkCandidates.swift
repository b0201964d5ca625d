package import FoundationEssentials
package import JSON
package import Operations
package import Postgres

/// What of a connection's inventory a bulk operation could change: policies of a kind, or devices. A filter finds here
/// exactly what it would choose in a run (``RunDivision``). Who may see it is for the caller to decide.
package struct BulkCandidates: Sendable {
    /// One policy or device.
    package struct Candidate: Sendable, Hashable {
        /// The provider's id of it.
        package let id: String
        package let name: String?
        /// Of a policy its type, of a device its operating system.
        package let type: String?
        /// Of a device: whose it is.
        package let user: String?
        package let seenAt: Date?
        /// Where it stands in the list; nil for one that was asked for by its id.
        package let position: Position?
    }

    /// A place in a list, which is in the order of names in small letters, of which the first 128 characters count.
    package struct Position: Sendable, Hashable {
        package let name: String
        package let id: String

        package init(name: String, id: String) {
            self.name = name
            self.id = id
        }
    }

    /// What a filter finds.
    package struct Found: Sendable {
        package let page: Page<Candidate>
        /// How many it finds in all.
        package let total: Int
    }

    /// What there is to choose from.
    package struct Inventory: Sendable, Hashable {
        /// How many policies of the kind, or devices, there are.
        package let count: Int
        /// When a sync saw one of them last.
        package let seenAt: Date?
        /// The values that a condition can name, by the condition; at most ``BulkCandidates/valueLimit`` each.
        package let values: [String: [String]]
    }

    /// The most values of a condition that are offered.
    package static let valueLimit = 100

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    // MARK: finding

    private static let found: Statement = """
        WITH found AS (
            SELECT c.tenant_id, s.item_key, s.name,
                   left(lower(coalesce(s.name, s.item_key)), 128) COLLATE "C" AS sort_name
            FROM provider_connections c
            CROSS JOIN bulk_selection(c.tenant_id, c.id, $2::text, $3::jsonb, NULL::text[]) s
            WHERE c.id = $1::uuid
        ), page AS (
            SELECT * FROM found
            WHERE $4::text IS NULL OR (sort_name, item_key COLLATE "C") > ($4::text, $5::text)
            ORDER BY sort_name, item_key COLLATE "C" LIMIT $6::int
        )
        SELECT g.item_key, g.name, g.sort_name, coalesce(p.type, d.operating_system) AS type,
               d.user_principal_name, coalesce(p.seen_at, d.seen_at) AS seen_at
        FROM page g
        LEFT JOIN inventory_policies p ON p.tenant_id = g.tenant_id AND p.connection_id = $1::uuid
            AND p.kind = $2::text AND p.policy_id = g.item_key
        LEFT JOIN inventory_devices d ON $2::text IS NULL AND d.tenant_id = g.tenant_id
            AND d.connection_id = $1::uuid AND d.device_id = g.item_key
        ORDER BY g.sort_name, g.item_key COLLATE "C"
        """

    private static let total: Statement = """
        SELECT count(*) FROM provider_connections c
        CROSS JOIN bulk_selection(c.tenant_id, c.id, $2::text, $3::jsonb, NULL::text[]) s
        WHERE c.id = $1::uuid
        """

    /// What a filter finds, in the order of the names; those after `after`. `kind` is nil for devices.
    package func found(
        by filter: JSON, of kind: PolicyKind?, on connection: ConnectionID, after: Position?, limit: Int
    ) async throws -> Found {
        let asked: [Parameter] = [.uuid(connection.uuid), Self.text(kind?.rawValue), .json(filter.text)]
        let results = try await pool.pipeline([
            (
                Self.found,
                asked + [
                    Self.text(after?.name), Self.text(after?.id), .int(Page<Candidate>.rows(for: limit)),
                ]
            ),
            (Self.total, asked),
        ])
        let rows = try results[0].map { row in
            Candidate(
                id: try row.text("item_key"), name: try row.textOrNil("name"),
                type: try row.textOrNil("type"),
                user: try row.textOrNil("user_principal_name"), seenAt: try row.dateOrNil("seen_at"),
                position: Position(name: try row.text("sort_name"), id: try row.text("item_key")))
        }
        return Found(page: Page(rows: rows, limit: limit), total: try results[1][0].int(0))
    }

    private static let named: Statement = """
        SELECT s.item_key, s.name FROM provider_connections c
        CROSS JOIN bulk_selection(c.tenant_id, c.id, $2::text, NULL::jsonb, $3::text[]) s
        WHERE c.id = $1::uuid
        ORDER BY lower(coalesce(s.name, s.item_key)) COLLATE "C", s.item_key
        """

    /// Those with these ids, whether the inventory has them or not, in the order of their names.
    package func named(
        _ ids: [String], of kind: PolicyKind?, on connection: ConnectionID
    ) async throws -> [Candidate] {
        guard !ids.isEmpty else { return [] }
        return try await pool.query(
            Self.named, [.uuid(connection.uuid), Self.text(kind?.rawValue), .texts(ids)]
        ).map { row in
            Candidate(
                id: try row.text("item_key"), name: try row.textOrNil("name"), type: nil, user: nil,
                seenAt: nil, position: nil)
        }
    }

    // MARK: what there is

    private static let policies: Statement = """
        SELECT count(*) AS count, max(p.seen_at) AS seen_at,
               jsonb_build_object('type', (array_agg(DISTINCT p.type) FILTER (WHERE p.type IS NOT NULL))[1:$3::int])::text
                   AS condition_values
        FROM provider_connections c JOIN inventory_policies p ON p.tenant_id = c.tenant_id AND p.connection_id = c.id
        WHERE c.id = $1::uuid AND p.kind = $2 AND p.gone_at IS NULL
        """

    private static let devices: Statement = """
        WITH there AS (
            SELECT d.seen_at, d.operating_system, d.compliance_state, d.owner_type
            FROM provider_connections c JOIN inventory_devices d ON d.tenant_id = c.tenant_id AND d.connection_id = c.id
            WHERE c.id = $1::uuid AND d.gone_at IS NULL
        ), grouped AS (
            SELECT count(*) AS count, max(seen_at) AS seen_at, operating_system, compliance_state, owner_type
            FROM there GROUP BY operating_system, compliance_state, owner_type
        )
        SELECT coalesce(sum(count), 0)::bigint AS count, max(seen_at) AS seen_at,
               jsonb_build_object(
                   'operating_system',
                   (array_agg(DISTINCT operating_system) FILTER (WHERE operating_system IS NOT NULL))[1:$2::int],
                   'compliance_state',
                   (array_agg(DISTINCT compliance_state) FILTER (WHERE compliance_state IS NOT NULL))[1:$2::int],
                   'owner_type',
                   (array_agg(DISTINCT owner_type) FILTER (WHERE owner_type IS NOT NULL))[1:$2::int])::text
                   AS condition_values
        FROM grouped
        """

    /// What there is of a kind, or (nil) of devices.
    package func inventory(of kind: PolicyKind?, on connection: ConnectionID) async throws -> Inventory {
        let place = Parameter.uuid(connection.uuid)
        let rows =
            if let kind {
                try await pool.query(
                    Self.policies, [place, .text(kind.rawValue), .int(Self.valueLimit)])
            } else {
                try await pool.query(Self.devices, [place, .int(Self.valueLimit)])
            }
        let values = try JSON(parsing: try rows[0].text("condition_values")).object?.members ?? []
        return Inventory(
            count: try rows[0].int("count"), seenAt: try rows[0].dateOrNil("seen_at"),
            values: Dictionary(
                uniqueKeysWithValues: values.map { ($0, ($1.array ?? []).compactMap(\.string)) }))
    }

    private static func text(_ text: String?) -> Parameter { text.map(Parameter.text) ?? .null }
}
