import Curl
import Fixtures
import Foundation
import GraphFixtures
import JSON
import Operations
import Postgres
import Sealing
import Store

/// A customer for each case: a tenant with a connection to a directory of its own in the sandbox, and a person who
/// owns it. No case can help or harm another.
struct CasePlaces {
    struct Place {
        let tenant = TenantID(UUID())
        let connection = ConnectionID(UUID())
        let person = UserID(UUID())
        let entraTenant = UUID().uuidString.lowercased()
        let clientID = UUID().uuidString.lowercased()
    }

    static let secret = "canary~S3cret.1+2/3=4&5%6"
    private static let registerAtOnce = 8

    let workspace = WorkspaceID(UUID())
    let privateKey = SealingPrivateKey()
    /// One per case, at the same index.
    let places: [Place]

    init(count: Int, in pool: PostgresPool, _ sandbox: SandboxProcess) async throws {
        places = (0..<count).map { _ in Place() }
        try await register(sandbox)
        try await insert(pool)
    }

    private func register(_ sandbox: SandboxProcess) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, place) in places.enumerated() {
                if index >= Self.registerAtOnce { try await group.next() }
                group.addTask {
                    try await sandbox.control("POST", "/tenants", Self.directory(place))
                }
            }
            try await group.waitForAll()
        }
    }

    /// A small directory, whose application may do everything.
    private static func directory(_ place: Place) -> JSON {
        let readWrite = [
            "DeviceManagementApps", "DeviceManagementConfiguration", "DeviceManagementManagedDevices",
            "DeviceManagementRBAC", "DeviceManagementScripts",
        ]
        let roles =
            readWrite.map { "\($0).ReadWrite.All" } + [
                "Application.Read.All", "Organization.Read.All", "Policy.Read.All", "Group.Read.All",
                "Policy.ReadWrite.ConditionalAccess",
                "DeviceManagementManagedDevices.PrivilegedOperations.All",
            ]
        return [
            "id": .string(place.entraTenant), "devices": 2,
            "app": [
                "clientId": .string(place.clientID), "clientSecret": .string(secret),
                "roles": .array(roles.map(JSON.string)),
            ],
            "entities": [
                "deviceConfigurations": 2, "deviceCompliancePolicies": 1, "configurationPolicies": 1,
                "deviceManagementScripts": 1, "assignmentFilters": 1, "roleScopeTags": 1, "mobileApps": 1,
                "iosManagedAppProtections": 1, "androidManagedAppProtections": 1,
                "conditionalAccessPolicies": 1, "groups": 2,
            ],
        ]
    }

    private func insert(_ pool: PostgresPool) async throws {
        let people = Parameter.uuids(places.map(\.person.uuid))
        let tenants = Parameter.uuids(places.map(\.tenant.uuid))
        let connections = Parameter.uuids(places.map(\.connection.uuid))
        let workspace = Parameter.uuid(workspace.uuid)
        let sealed = try places.map { place in
            try Sealer(publicKey: privateKey.publicKey).seal(
                Secret(JSON.object(["client_secret": .string(Self.secret)]).bytes),
                .providerCredential(tenant: place.tenant.uuid, connection: place.connection.uuid, version: 1))
        }
        _ = try await pool.pipeline([
            ("INSERT INTO workspaces (id, name) VALUES ($1::uuid, 'Northwind')", [workspace]),
            (
                "INSERT INTO users (id, workspace_id, name) SELECT id, $1::uuid, 'Person ' || n FROM unnest($2::uuid[]) WITH ORDINALITY AS u (id, n)",
                [workspace, people]
            ),
            (
                """
                INSERT INTO tenants (id, workspace_id, name, write_gate_open, write_gate_healthy, write_gate_checked_at)
                SELECT id, $1::uuid, 'Tenant ' || n, true, true, clock_timestamp()
                FROM unnest($2::uuid[]) WITH ORDINALITY AS t (id, n)
                """, [workspace, tenants]
            ),
            (
                """
                INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role)
                SELECT gen_random_uuid(), $1::uuid, t, u, 'owner' FROM unnest($2::uuid[], $3::uuid[]) AS m (t, u)
                """, [workspace, tenants, people]
            ),
            (
                """
                INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, cloud, entra_tenant_id,
                                                  entra_tenant_name, client_id, is_default)
                SELECT c, $1::uuid, t, 'Connection', 'sandbox', entra, 'Directory', client, true
                FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) AS x (t, c, entra, client)
                """,
                [
                    workspace, tenants, connections, .texts(places.map(\.entraTenant)),
                    .texts(places.map(\.clientID)),
                ]
            ),
            (
                """
                INSERT INTO provider_credentials (connection_id, tenant_id, version, kind, key_id, sealed)
                SELECT c, t, 1, 'secret', k, s
                FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[]) AS x (t, c, k, s)
                """,
                [
                    tenants, connections, .texts(sealed.map(\.keyID.description)),
                    .byteArrays(sealed.map(\.bytes)),
                ]
            ),
        ])
    }
}
