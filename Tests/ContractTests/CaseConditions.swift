import Foundation
import Operations
import Postgres

/// Brings conditions about, for many runs at once, as the database's owner: some can't come about by the services.
struct CaseConditions {
    /// The table has a condition that nobody knows how to bring about.
    struct Unknown: Error, CustomStringConvertible {
        let description: String
    }

    let pool: PostgresPool

    /// Changes everything that `condition` says, for these runs.
    func apply(_ condition: String, to runs: [RunID]) async throws {
        let statements = try Self.statements(condition)
        let ids = [Parameter.uuids(runs.map(\.uuid))]
        try await pool.transaction { transaction in
            // The schema forbids some of it; a restored backup or a mistake might still bring it.
            _ = try await transaction.query("SELECT set_config('session_replication_role', 'replica', true)")
            for statement in statements { _ = try await transaction.query(statement, ids) }
        }
    }

    /// Lets the word for a tenant's operability be one that this version does not know.
    func allowUnknownWords() async throws {
        _ = try await pool.query("ALTER TABLE tenants DROP CONSTRAINT tenants_operability_check")
    }

    private static func statements(_ condition: String) throws -> [Statement] {
        switch condition {
        case "unchanged", "unchanged_system": []
        case "operation_unknown":
            ["UPDATE runs SET operation = operation || '.of_old' WHERE id = ANY ($1::uuid[])"]
        case "run_expired":
            [
                "UPDATE runs SET expires_at = clock_timestamp() - interval '1 second' WHERE id = ANY ($1::uuid[])"
            ]
        case "scope_mismatch":
            [
                """
                UPDATE runs SET context = context || jsonb_build_object('tenant_id', gen_random_uuid())
                WHERE id = ANY ($1::uuid[])
                """
            ]
        case "workspace_mismatch":
            [
                """
                WITH other AS (INSERT INTO workspaces (id, name)
                               SELECT gen_random_uuid(), 'Other' WHERE cardinality($1::uuid[]) > 0 RETURNING id)
                UPDATE tenants t SET workspace_id = other.id FROM runs r, other
                WHERE r.id = ANY ($1::uuid[]) AND t.id = r.tenant_id
                """
            ]
        case "system_operation_not_allowed":
            [
                """
                UPDATE runs SET context = context || '{"execution_authority_mode": "system_authority"}'
                WHERE id = ANY ($1::uuid[])
                """
            ]
        case "initiator_missing": ["UPDATE runs SET initiator_id = NULL WHERE id = ANY ($1::uuid[])"]
        case "initiator_disabled":
            [
                """
                UPDATE users u SET disabled_at = clock_timestamp() FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND u.id = r.initiator_id
                """
            ]
        case "tenant_not_entitled": [revoke]
        case "grant_superseded":
            [
                revoke,
                """
                INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role)
                SELECT gen_random_uuid(), workspace_id, tenant_id, initiator_id, 'owner'
                FROM runs WHERE id = ANY ($1::uuid[])
                """,
            ]
        case "capability_missing":
            [
                """
                UPDATE memberships m SET role = 'readonly' FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND m.user_id = r.initiator_id
                """
            ]
        case "tenant_archived":
            [
                """
                UPDATE tenants t SET operability = 'archived' FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND t.id = r.tenant_id
                """
            ]
        case "tenant_suspended", "system_suspended":
            [
                """
                UPDATE tenants t SET operability = 'suspended' FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND t.id = r.tenant_id
                """
            ]
        case "tenant_onboarding":
            [
                """
                UPDATE tenants t SET operability = 'onboarding' FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND t.id = r.tenant_id
                """
            ]
        case "authority_store_unavailable":
            [
                """
                UPDATE tenants t SET operability = 'moonlit' FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND t.id = r.tenant_id
                """
            ]
        case "connection_missing":
            [
                """
                UPDATE provider_connections c SET tenant_id = gen_random_uuid() FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND c.id = r.connection_id
                """
            ]
        case "connection_disabled":
            [
                """
                UPDATE provider_connections c SET enabled = false FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND c.id = r.connection_id
                """
            ]
        case "connection_scope_changed":
            [
                """
                UPDATE provider_connections c SET entra_tenant_id = gen_random_uuid()::text FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND c.id = r.connection_id
                """
            ]
        case "credential_missing":
            [
                """
                DELETE FROM provider_credentials k USING runs r
                WHERE r.id = ANY ($1::uuid[]) AND k.connection_id = r.connection_id
                """
            ]
        case "write_gate_closed":
            [
                """
                UPDATE tenants t SET write_gate_open = false FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND t.id = r.tenant_id
                """
            ]
        case "write_gate_unhealthy":
            [
                """
                UPDATE tenants t SET write_gate_healthy = false FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND t.id = r.tenant_id
                """
            ]
        case "write_gate_stale":
            [
                """
                UPDATE tenants t SET write_gate_checked_at = clock_timestamp() - interval '10 years' FROM runs r
                WHERE r.id = ANY ($1::uuid[]) AND t.id = r.tenant_id
                """
            ]
        default: throw Unknown(description: "nobody knows how to bring about «\(condition)»")
        }
    }

    private static let revoke: Statement = """
        UPDATE memberships m SET revoked_at = clock_timestamp() FROM runs r
        WHERE r.id = ANY ($1::uuid[]) AND m.user_id = r.initiator_id
        """
}
