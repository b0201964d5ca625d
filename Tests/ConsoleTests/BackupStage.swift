import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import ServiceKit
import Store

/// Backup sets in the stage's database, as `backup.run` leaves them.
extension ConsoleStage {
    /// One policy of a set that a test makes.
    struct Policy {
        var kind = PolicyKind.assignmentFilter
        let id: String
        var name: String?
        let document: JSON
    }

    /// A backup run that ended, and its set.
    func backup(
        of policies: [Policy], kinds: [PolicyKind] = [.assignmentFilter], at place: Int = 0,
        isComplete: Bool = true
    ) async throws -> RunID {
        let (tenant, connection) = (world.tenants[place], world.connections[place])
        let id = RunID(UUID.timeOrdered())
        var calls: [(Statement, [Parameter])] = [
            (
                """
                INSERT INTO backup_sets (tenant_id, id, connection_id, kinds) VALUES ($1::uuid, $2::uuid, $3::uuid, $4::text[])
                """,
                [
                    .uuid(tenant.uuid), .uuid(id.uuid), .uuid(connection.uuid),
                    .texts(kinds.map(\.rawValue)),
                ]
            )
        ]
        for policy in policies {
            let content = policy.document.canonicalBytes
            calls += [
                (
                    """
                    INSERT INTO policy_contents (tenant_id, hash, content, secrets) VALUES ($1::uuid, sha256($2::bytea), $2::bytea, 0)
                    ON CONFLICT DO NOTHING
                    """, [.uuid(tenant.uuid), .bytes(content)]
                ),
                (
                    """
                    INSERT INTO backup_items (tenant_id, backup_id, item_id, kind, policy_id, name, hash)
                    VALUES ($1::uuid, $2::uuid, md5($3 || $4)::uuid, $3, $4, $5, sha256($6::bytea))
                    """,
                    [
                        .uuid(tenant.uuid), .uuid(id.uuid), .text(policy.kind.rawValue), .text(policy.id),
                        .text(policy.name ?? policy.id), .bytes(content),
                    ]
                ),
            ]
        }
        if isComplete {
            calls.append(
                (
                    """
                    UPDATE backup_sets SET completed_at = clock_timestamp(), content_hash = sha256($2::bytea)
                    WHERE id = $1::uuid
                    """, [.uuid(id.uuid), .bytes(policies.flatMap(\.document.canonicalBytes))]
                ))
        }
        _ = try await pool.pipeline(calls)
        return id
    }

    /// The ids of a set's items, by name.
    func items(of set: RunID) async throws -> [String: String] {
        let rows = try await pool.query(
            "SELECT name, item_id FROM backup_items WHERE backup_id = $1::uuid", [.uuid(set.uuid)])
        return try Dictionary(
            uniqueKeysWithValues: rows.map {
                (try $0.text("name"), try $0.uuid("item_id").uuidString.lowercased())
            })
    }
}
