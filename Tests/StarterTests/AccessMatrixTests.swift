import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Starter

/// Who gets which answer where: every route for every kind of caller.
@Suite(.serialized)
struct AccessMatrixTests {
    /// The callers, in the order of the table's columns.
    enum Caller: CaseIterable {
        case nobody, owner, manager, `operator`, readonly, tenantManager, stranger, foreigner
    }

    /// A fresh workspace for one cell of the table.
    struct Cell {
        let site: Site
        let world: World
        let run: RunID
        /// The system's.
        let schedule: String
        /// A system of the workspace, and a token of it.
        let system: UserID
        let systemToken: String
        /// The owner's, and a mail to the owner about the run.
        let webhook: UUID
        let delivery: UUID
        /// Holds `readonly` on the tenant only.
        let guest: UserID
        /// Holds `manager` on the tenant only.
        let tenantManager: UserID

        var tenant: String { "\(world.tenant)" }
        var connection: String { "\(world.connection)" }
    }

    struct Row: CustomTestStringConvertible, Sendable {
        let method: HTTPRequest.Method
        let path: @Sendable (Cell) -> String
        let body: @Sendable (Cell) -> JSON?
        /// The statuses for owner, manager, operator, readonly, manager of the tenant, a person of the
        /// workspace without access, and an owner of another workspace. Without a token it is always 401.
        let expected: [Int]
        let testDescription: String

        init(
            _ method: HTTPRequest.Method, _ name: String, _ path: @escaping @Sendable (Cell) -> String,
            _ body: @escaping @Sendable (Cell) -> JSON?, _ expected: [Int]
        ) {
            self.method = method
            self.path = path
            self.body = body
            self.expected = expected
            testDescription = "\(method.rawValue) \(name)"
        }

        init(
            _ method: HTTPRequest.Method, _ name: String, _ path: @escaping @Sendable (Cell) -> String,
            _ expected: [Int]
        ) {
            self.init(method, name, path, { _ in nil }, expected)
        }
    }

    static let rows: [Row] = [
        Row(
            .post, "runs: a read", { _ in "/v1/runs" }, { checkBody(on: $0.world.connections[1]) },
            [202, 202, 202, 403, 404, 404, 404]),
        Row(
            .post, "runs: a change", { _ in "/v1/runs" },
            {
                [
                    "operation": "restore.execute",
                    "provider_connection_id": .string("\($0.world.connections[1])"),
                    "parameters": sampleParameters(.restoreExecute)!,
                ]
            },
            [409, 409, 403, 403, 404, 404, 404]),
        Row(
            .post, "dry run", { _ in "/v1/dry-runs" },
            {
                [
                    "operation": "device.bulk_sync", "provider_connection_id": .string($0.connection),
                    "parameters": ["filter": ["all": true]],
                ]
            },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(.get, "runs", { _ in "/v1/runs" }, [200, 200, 200, 200, 200, 200, 200]),
        Row(.get, "audit", { _ in "/v1/audit" }, [200, 200, 403, 403, 200, 403, 200]),
        Row(
            .get, "audit of a tenant", { "/v1/audit?tenant_id=\($0.tenant)" },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .get, "runs of a tenant", { "/v1/runs?tenant_id=\($0.tenant)" },
            [200, 200, 200, 200, 200, 404, 404]),
        Row(.get, "run", { "/v1/runs/\($0.run)" }, [200, 200, 200, 200, 200, 404, 404]),
        Row(
            .get, "explanation", { "/v1/runs/\($0.run)/explanation" },
            [200, 200, 200, 200, 200, 404, 404]),
        Row(.get, "items", { "/v1/runs/\($0.run)/items" }, [200, 200, 200, 200, 200, 404, 404]),
        Row(.post, "cancel", { "/v1/runs/\($0.run)/cancel" }, [202, 202, 202, 403, 202, 404, 404]),
        Row(.post, "retry", { "/v1/runs/\($0.run)/retry" }, [409, 409, 409, 403, 409, 404, 404]),
        Row(
            .post, "schedules: as oneself", { _ in "/v1/schedules" },
            { ScheduleTests.body(on: $0.world.connection) }, [201, 201, 201, 403, 201, 404, 404]),
        Row(
            .post, "schedules: as the system", { _ in "/v1/schedules" },
            { ScheduleTests.body(on: $0.world.connection, as: "system") },
            [201, 201, 403, 403, 201, 404, 404]),
        Row(.get, "schedules", { _ in "/v1/schedules" }, [200, 200, 200, 200, 200, 200, 200]),
        Row(
            .get, "schedules of a tenant", { "/v1/schedules?tenant_id=\($0.tenant)" },
            [200, 200, 200, 200, 200, 404, 404]),
        Row(.get, "schedule", { "/v1/schedules/\($0.schedule)" }, [200, 200, 200, 200, 200, 404, 404]),
        Row(
            .delete, "schedule", { "/v1/schedules/\($0.schedule)" }, [204, 204, 403, 403, 204, 404, 404]),
        Row(
            .post, "pause", { "/v1/schedules/\($0.schedule)/pause" }, [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .post, "resume", { "/v1/schedules/\($0.schedule)/resume" },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(.get, "me", { _ in "/v1/me" }, [200, 200, 200, 200, 200, 200, 200]),
        Row(.get, "tenants", { _ in "/v1/tenants" }, [200, 200, 200, 200, 200, 200, 200]),
        Row(
            .get, "connections", { _ in "/v1/provider-connections" },
            [200, 200, 200, 200, 200, 200, 200]),
        Row(
            .get, "connections of a tenant", { "/v1/provider-connections?tenant_id=\($0.tenant)" },
            [200, 200, 200, 200, 200, 404, 404]),
        Row(
            .post, "connections of a tenant", { "/v1/tenants/\($0.tenant)/provider-connections" },
            { _ in ConnectionRouteTests.body() }, [201, 201, 403, 403, 201, 404, 404]),
        Row(
            .get, "connection", { "/v1/provider-connections/\($0.connection)" },
            [200, 200, 200, 200, 200, 404, 404]),
        Row(
            .patch, "connection", { "/v1/provider-connections/\($0.connection)" },
            { _ in ["display_name": "Another", "entra_tenant_id": .string("\(RunID(UUID()))")] },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .put, "default", { "/v1/provider-connections/\($0.connection)/default" },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .put, "credential", { "/v1/provider-connections/\($0.connection)/credential" },
            { _ in ["kind": "secret", "client_secret": "s3cret"] },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(.get, "tokens", { _ in "/v1/tokens" }, [200, 200, 200, 200, 200, 200, 200]),
        Row(
            .get, "tokens of another", { "/v1/tokens?user_id=\($0.guest)" },
            [200, 200, 404, 404, 404, 404, 200]),
        Row(
            .post, "tokens for oneself", { _ in "/v1/tokens" }, { _ in ["label": "mine"] },
            [201, 201, 201, 201, 201, 201, 201]),
        Row(
            .post, "tokens for a system", { _ in "/v1/tokens" },
            { ["label": "system", "user_id": .string("\($0.system)")] },
            [201, 201, 403, 403, 403, 403, 404]),
        Row(
            .post, "tokens for another person", { _ in "/v1/tokens" },
            { ["label": "theirs", "user_id": .string("\($0.guest)")] },
            [403, 403, 403, 403, 403, 403, 404]),
        Row(
            .delete, "token of another", { "/v1/tokens/\($0.systemToken)" },
            [204, 204, 404, 404, 404, 404, 404]),
        Row(.get, "notifications", { _ in "/v1/notifications" }, [200, 200, 200, 200, 200, 200, 200]),
        Row(.get, "users", { _ in "/v1/users" }, [200, 200, 403, 403, 200, 403, 200]),
        Row(
            .get, "backups of a tenant", { "/v1/tenants/\($0.tenant)/backups" },
            [200, 200, 200, 200, 200, 404, 404]),
        Row(.get, "backup", { "/v1/backups/\($0.run)" }, [200, 200, 200, 200, 200, 404, 404]),
        Row(
            .get, "groups of a tenant", { "/v1/tenants/\($0.tenant)/groups" },
            [200, 200, 200, 200, 200, 404, 404]),
        Row(
            .post, "grant on a tenant", { _ in "/v1/access/grants" },
            {
                [
                    "user_id": .string("\($0.world.stranger)"), "tenant_id": .string($0.tenant),
                    "role": "readonly",
                ]
            },
            [201, 201, 403, 403, 201, 404, 404]),
        Row(
            .post, "grant on everything", { _ in "/v1/access/grants" },
            { ["user_id": .string("\($0.world.stranger)"), "role": "readonly"] },
            [201, 201, 403, 403, 403, 403, 404]),
        Row(
            .post, "revocation on a tenant", { _ in "/v1/access/revocations" },
            { ["user_id": .string("\($0.guest)"), "tenant_id": .string($0.tenant)] },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .post, "revocation on everything", { _ in "/v1/access/revocations" },
            { ["user_id": .string("\($0.world.people[.readonly]!)")] },
            [200, 200, 403, 403, 403, 403, 404]),
        Row(
            .post, "role on a tenant", { _ in "/v1/access/roles" },
            { ["user_id": .string("\($0.guest)"), "tenant_id": .string($0.tenant), "role": "operator"] },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .post, "role on everything", { _ in "/v1/access/roles" },
            { ["user_id": .string("\($0.world.people[.readonly]!)"), "role": "operator"] },
            [200, 200, 403, 403, 403, 403, 404]),
        Row(
            .post, "disable", { "/v1/users/\($0.guest)/disable" }, [200, 200, 403, 403, 403, 403, 404]),
        Row(.post, "enable", { "/v1/users/\($0.guest)/enable" }, [204, 204, 403, 403, 403, 403, 404]),
        Row(
            .put, "operability", { "/v1/tenants/\($0.tenant)/operability" },
            { _ in ["operability": "suspended"] },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .put, "write gate", { "/v1/tenants/\($0.tenant)/write-gate" }, { _ in ["open": true] },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .put, "enabled", { "/v1/provider-connections/\($0.connection)/enabled" },
            { _ in ["enabled": false] },
            [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .post, "freeze of a tenant", { _ in "/v1/freezes" },
            { ["scope": "tenant", "id": .string($0.tenant)] }, [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .post, "freeze of a connection", { _ in "/v1/freezes" },
            { ["scope": "connection", "id": .string($0.connection)] }, [200, 200, 403, 403, 200, 404, 404]),
        Row(
            .post, "freeze of everything", { _ in "/v1/freezes" },
            { ["scope": "workspace", "id": .string("\($0.world.workspace)")] },
            [200, 200, 403, 403, 403, 403, 404]),
        Row(
            .post, "lift of a tenant", { _ in "/v1/freezes/lift" },
            { ["scope": "tenant", "id": .string($0.tenant)] }, [204, 204, 403, 403, 204, 404, 404]),
        Row(
            .post, "lift of everything", { _ in "/v1/freezes/lift" },
            { ["scope": "workspace", "id": .string("\($0.world.workspace)")] },
            [204, 204, 403, 403, 403, 403, 404]),
        Row(
            .post, "webhooks", { _ in "/v1/webhooks" },
            { _ in ["url": "https://example.com/x", "label": "x", "signing": "ed25519"] },
            [201, 201, 403, 403, 403, 403, 201]),
        Row(.get, "webhooks", { _ in "/v1/webhooks" }, [200, 200, 403, 403, 403, 403, 200]),
        Row(.get, "webhook", { "/v1/webhooks/\($0.webhook)" }, [200, 200, 403, 403, 404, 404, 404]),
        Row(
            .post, "webhook: rotate", { "/v1/webhooks/\($0.webhook)/rotate" },
            [200, 200, 403, 403, 404, 404, 404]),
        Row(
            .post, "webhook: disable", { "/v1/webhooks/\($0.webhook)/disable" },
            [200, 200, 403, 403, 404, 404, 404]),
        Row(
            .post, "webhook: enable", { "/v1/webhooks/\($0.webhook)/enable" },
            [200, 200, 403, 403, 404, 404, 404]),
        Row(.delete, "webhook", { "/v1/webhooks/\($0.webhook)" }, [204, 204, 403, 403, 404, 404, 404]),
        Row(.get, "deliveries", { _ in "/v1/deliveries" }, [200, 200, 403, 403, 403, 403, 200]),
        Row(
            .get, "deliveries of a run", { "/v1/deliveries?run_id=\($0.run)" },
            [200, 200, 200, 200, 200, 404, 404]),
        Row(
            .get, "deliveries of a webhook", { "/v1/deliveries?webhook_id=\($0.webhook)" },
            [200, 200, 403, 403, 404, 404, 404]),
        Row(
            .get, "delivery", { "/v1/deliveries/\($0.delivery)" }, [200, 200, 200, 200, 200, 404, 404]),
        Row(
            .post, "redeliver", { "/v1/deliveries/\($0.delivery)/redeliver" },
            [202, 202, 403, 403, 202, 404, 404]),
        Row(.get, "e-mail", { _ in "/v1/me/email" }, [200, 200, 200, 200, 200, 200, 200]),
        Row(
            .put, "e-mail", { _ in "/v1/me/email" }, { _ in ["address": "a@example.com", "enabled": true] },
            [200, 200, 200, 200, 200, 200, 200]),
        Row(.delete, "e-mail", { _ in "/v1/me/email" }, [204, 204, 204, 204, 204, 204, 204]),
        Row(.get, "nowhere", { _ in "/v1/nowhere" }, [404, 404, 404, 404, 404, 404, 404]),
        Row(.delete, "runs", { _ in "/v1/runs" }, [405, 405, 405, 405, 405, 405, 405]),
    ]

    @Test func everyRouteForEveryCaller() async throws {
        try await Site.with { site in
            for row in Self.rows {
                for (caller, status) in zip(Caller.allCases, [401] + row.expected) {
                    let cell = try await Self.cell(site)
                    let token = try await Self.token(of: caller, cell)
                    let reply = try await site.call(
                        row.method, row.path(cell), token, row.body(cell), headers: Self.headers)
                    #expect(reply.status == status, "\(row.testDescription) as \(caller): \(reply.text)")
                    #expect(reply.headers[.requestID]?.count == 32)
                    if status == 401 { #expect(reply.headers[.wwwAuthenticate] == "Bearer") }
                    if status >= 400 {
                        #expect(reply.headers[.contentType] == "application/problem+json")
                        #expect(reply["status"]?.integer == status)
                    }
                }
            }
        }
    }

    /// What was refused changed nothing.
    @Test func aRefusedChangeChangesNothing() async throws {
        try await Site.with { site in
            for row in Self.rows where row.method != .get && row.expected.contains(where: { $0 < 300 }) {
                for (caller, status) in zip(Caller.allCases, [401] + row.expected) where status >= 400 {
                    let cell = try await Self.cell(site)
                    let token = try await Self.token(of: caller, cell)
                    let before = try await Self.state(of: cell)
                    _ = try await site.call(
                        row.method, row.path(cell), token, row.body(cell), headers: Self.headers)
                    let after = try await Self.state(of: cell)
                    #expect(before == after, "\(row.testDescription) as \(caller)")
                }
            }
        }
    }

    /// What an edit needs, and nothing else minds.
    private static let headers: HTTPFields = [.ifMatch: "\"1\""]

    private static func cell(_ site: Site) async throws -> Cell {
        let world = try await World.make(in: site.pool, tenants: 2)
        let users = [UUID(), UUID()]
        let (system, systemToken) = (UUID(), UUID())
        _ = try await site.pool.query(
            "INSERT INTO users (id, workspace_id, name, kind) VALUES ($1::uuid, $2::uuid, 'robot', 'system')",
            [.uuid(system), .uuid(world.workspace.uuid)])
        _ = try await site.token(for: UserID(system), in: world.workspace, id: systemToken)
        _ = try await site.pool.pipeline([
            (
                """
                INSERT INTO users (id, workspace_id, name)
                SELECT id, $1::uuid, 'tenant' FROM unnest($2::uuid[]) AS u (id)
                """, [.uuid(world.workspace.uuid), .uuids(users)]
            ),
            (
                """
                INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role)
                SELECT gen_random_uuid(), $1::uuid, $2::uuid, id, role
                FROM unnest($3::uuid[], ARRAY['readonly', 'manager']) AS u (id, role)
                """, [.uuid(world.workspace.uuid), .uuid(world.tenant.uuid), .uuids(users)]
            ),
        ])
        let starter = try await site.token(for: world.owner, in: world.workspace)
        let schedule = try await site.call(
            .post, "/v1/schedules", starter,
            ScheduleTests.body(on: world.connection, "policy.sync", as: "system"))
        let run = try await site.start(starter, on: world.connection)
        _ = try await site.pool.query(
            """
            INSERT INTO backup_sets (tenant_id, id, connection_id, kinds)
            VALUES ($1::uuid, $2::uuid, $3::uuid, '{scope_tag}')
            """, [.uuid(world.tenant.uuid), .uuid(run.uuid), .uuid(world.connection.uuid)])
        let (webhook, delivery) = (UUID(), UUID())
        _ = try await site.pool.pipeline([
            (
                """
                INSERT INTO webhooks (id, workspace_id, user_id, label, origin, url_key_id, sealed_url, signing)
                VALUES ($1::uuid, $2::uuid, $3::uuid, 'x', 'https://example.com', 'k', 'x', 'ed25519')
                """, [.uuid(webhook), .uuid(world.workspace.uuid), .uuid(world.owner.uuid)]
            ),
            (
                """
                INSERT INTO webhook_keys (webhook_id, number, key_id, sealed) VALUES ($1::uuid, 1, 'k', 'x')
                """, [.uuid(webhook)]
            ),
            (
                """
                INSERT INTO email_settings (user_id, workspace_id, address, enabled)
                VALUES ($1::uuid, $2::uuid, 'a@example.com', true)
                """, [.uuid(world.owner.uuid), .uuid(world.workspace.uuid)]
            ),
            (
                """
                INSERT INTO notifications (id, run_id, channel, workspace_id, tenant_id, user_id, title, body, event)
                VALUES ($1::uuid, $2::uuid, 'email', $3::uuid, $4::uuid, $5::uuid, 'x', '', '{}')
                """,
                [
                    .uuid(delivery), .uuid(run.uuid), .uuid(world.workspace.uuid), .uuid(world.tenant.uuid),
                    .uuid(world.owner.uuid),
                ]
            ),
        ])
        return Cell(
            site: site, world: world, run: run,
            schedule: schedule["schedule_id"]?.string ?? "", system: UserID(system),
            systemToken: systemToken.uuidString.lowercased(), webhook: webhook, delivery: delivery,
            guest: UserID(users[0]), tenantManager: UserID(users[1]))
    }

    private static func token(of caller: Caller, _ cell: Cell) async throws -> String? {
        let people = cell.world.people
        return switch caller {
        case .nobody: nil
        case .owner: try await cell.site.token(for: people[.owner]!, in: cell.world.workspace)
        case .manager: try await cell.site.token(for: people[.manager]!, in: cell.world.workspace)
        case .operator: try await cell.site.token(for: people[.operator]!, in: cell.world.workspace)
        case .readonly: try await cell.site.token(for: people[.readonly]!, in: cell.world.workspace)
        case .tenantManager: try await cell.site.token(for: cell.tenantManager, in: cell.world.workspace)
        case .stranger: try await cell.site.token(for: cell.world.stranger, in: cell.world.workspace)
        case .foreigner: try await cell.site.token(for: cell.site.world.owner)
        }
    }

    /// Everything of the workspace that a route may change, as text.
    private static func state(of cell: Cell) async throws -> String {
        try await cell.site.pool.query(
            """
            SELECT (SELECT string_agg(t::text, ',' ORDER BY id) FROM tenants t WHERE workspace_id = $1::uuid)
                || (SELECT string_agg(m::text, ',' ORDER BY id) FROM memberships m WHERE workspace_id = $1::uuid)
                || (SELECT string_agg(u::text, ',' ORDER BY id) FROM users u WHERE workspace_id = $1::uuid)
                || (SELECT string_agg(c::text, ',' ORDER BY id) FROM provider_connections c
                    WHERE workspace_id = $1::uuid)
                || (SELECT string_agg(k::text, ',' ORDER BY connection_id)
                    FROM provider_credentials k JOIN tenants t ON t.id = k.tenant_id
                    WHERE t.workspace_id = $1::uuid)
                || (SELECT count(*) || ',' || count(revoked_at) FROM api_tokens
                    WHERE workspace_id = $1::uuid)
                || (SELECT string_agg(r::text, ',' ORDER BY id) FROM runs r WHERE workspace_id = $1::uuid)
                || (SELECT string_agg(s::text, ',' ORDER BY id) FROM schedules s WHERE workspace_id = $1::uuid)
                || (SELECT string_agg(h::text || k::text, ',' ORDER BY h.id, k.number)
                    FROM webhooks h JOIN webhook_keys k ON k.webhook_id = h.id WHERE h.workspace_id = $1::uuid)
                || (SELECT string_agg(n::text, ',' ORDER BY id) FROM notifications n WHERE workspace_id = $1::uuid)
                || (SELECT w::text FROM workspaces w WHERE id = $1::uuid)
            """, [.uuid(cell.world.workspace.uuid)])[0].text(0)
    }
}
