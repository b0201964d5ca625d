import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import ServiceKit
import Store

@testable import Starter

/// A workspace with something of each kind, and a caller for each role in each relation to its first tenant.
struct AccessPlace: Sendable {
    let site: Site
    let world: World
    let things: AccessThings
    private let callers: [Key: (user: UserID, token: String)]

    private struct Key: Hashable {
        let role: Role?
        let relation: AccessOracle.Relation
    }

    /// Somebody of another workspace has a token there, which does not change with this one.
    typealias Foreigners = [Role: (user: UserID, token: String)]

    static func foreigners(_ site: Site) async throws -> Foreigners {
        let world = try await World.make(in: site.pool)
        var tokens: Foreigners = [:]
        for (role, user) in world.people {
            tokens[role] = (user, try await site.token(for: user, in: world.workspace))
        }
        return tokens
    }

    static func make(_ site: Site, _ foreigners: Foreigners = [:]) async throws -> AccessPlace {
        let world = try await World.make(in: site.pool, tenants: 2)
        var callers: [Key: (user: UserID, token: String)] = [:]
        for (role, foreigner) in foreigners { callers[Key(role: role, relation: .foreign)] = foreigner }
        let people = try await people(site, world)
        let tokens = people.map { _ in BearerToken.random() }
        for ((key, user), token) in zip(people, tokens) { callers[key] = (user, token.reveal()) }
        _ = try await site.pool.query(
            """
            INSERT INTO api_tokens (id, workspace_id, user_id, label, token_hash, expires_at)
            SELECT gen_random_uuid(), $1::uuid, u, 'test', h, now() + interval '1 hour'
            FROM unnest($2::uuid[], $3::bytea[]) AS t (u, h)
            """,
            [
                .uuid(world.workspace.uuid), .uuids(people.values.map(\.uuid)),
                .byteArrays(tokens.map(\.hash)),
            ])
        let owner = callers[Key(role: .owner, relation: .everywhere)]!.token
        return AccessPlace(
            site: site, world: world, things: try await things(site, world, owner),
            callers: callers)
    }

    /// The people of the workspace: those of the whole of it are there, the others come from here.
    private static func people(_ site: Site, _ world: World) async throws -> [Key: UserID] {
        var people = [Key(role: nil, relation: .here): world.stranger]
        for (role, user) in world.people { people[Key(role: role, relation: .everywhere)] = user }
        var rows: [(id: UUID, tenant: UUID?, role: Role, isRevoked: Bool)] = []
        for role in Role.allCases {
            for relation in [AccessOracle.Relation.here, .elsewhere, .revoked] {
                let id = UUID()
                people[Key(role: role, relation: relation)] = UserID(id)
                let tenant = relation == .revoked ? nil : world.tenants[relation == .here ? 0 : 1].uuid
                rows.append((id, tenant, role, relation == .revoked))
            }
        }
        _ = try await site.pool.pipeline([
            (
                """
                INSERT INTO users (id, workspace_id, name)
                SELECT id, $1::uuid, 'somebody' FROM unnest($2::uuid[]) AS u (id)
                """, [.uuid(world.workspace.uuid), .uuids(rows.map(\.id))]
            ),
            (
                """
                INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role, revoked_at)
                SELECT gen_random_uuid(), $1::uuid, t, u, r, CASE WHEN x THEN now() END
                FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::bool[]) AS m (u, t, r, x)
                """,
                [
                    .uuid(world.workspace.uuid), .uuids(rows.map(\.id)), .uuids(rows.map(\.tenant)),
                    .texts(rows.map(\.role.rawValue)), .bools(rows.map(\.isRevoked)),
                ]
            ),
        ])
        return people
    }

    private static func things(
        _ site: Site, _ world: World, _ owner: String
    ) async throws -> AccessThings {
        let (system, systemToken, free, guest) = (UUID(), UUID(), UUID(), UUID())
        _ = try await site.pool.pipeline([
            (
                """
                INSERT INTO users (id, workspace_id, name, kind)
                VALUES ($1::uuid, $3::uuid, 'robot', 'system'), ($2::uuid, $3::uuid, 'guest', 'person')
                """, [.uuid(system), .uuid(guest), .uuid(world.workspace.uuid)]
            ),
            (
                """
                INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role)
                VALUES (gen_random_uuid(), $1::uuid, $2::uuid, $3::uuid, 'readonly')
                """, [.uuid(world.workspace.uuid), .uuid(world.tenant.uuid), .uuid(guest)]
            ),
            (
                """
                INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, cloud, entra_tenant_id,
                                                  entra_tenant_name, client_id)
                VALUES ($1::uuid, $2::uuid, $3::uuid, 'free', 'sandbox', 'free', 'x', 'x')
                """, [.uuid(free), .uuid(world.workspace.uuid), .uuid(world.tenant.uuid)]
            ),
            (
                """
                INSERT INTO provider_credentials (connection_id, tenant_id, version, kind, key_id, sealed)
                VALUES ($1::uuid, $2::uuid, 1, 'secret', 'none', 'x')
                """, [.uuid(free), .uuid(world.tenant.uuid)]
            ),
        ])
        _ = try await site.token(for: UserID(system), in: world.workspace, id: systemToken)
        let schedule = try await site.call(
            .post, "/v1/schedules", owner,
            ScheduleTests.body(on: world.connection, "policy.sync", as: "system"))
        let run = try await site.start(owner, on: world.connection)
        let (webhook, delivery) = try await deliveries(site, world, run)
        let (deadLetter, view) = (UUID(), UUID())
        _ = try await site.pool.pipeline([
            (
                """
                INSERT INTO dead_letters (id, queue, digest, count, run_id, workspace_id, tenant_id, size)
                VALUES ($1::uuid, 'jobs.provider', encode(sha256(uuid_send($1::uuid)), 'hex'), 1, $2::uuid, $3::uuid,
                        $4::uuid, 10)
                """,
                [
                    .uuid(deadLetter), .uuid(run.uuid), .uuid(world.workspace.uuid), .uuid(world.tenant.uuid),
                ]
            ),
            (
                """
                INSERT INTO saved_views (id, workspace_id, user_id, name, query)
                VALUES ($1::uuid, $2::uuid, $3::uuid, 'theirs', 'state:running')
                """, [.uuid(view), .uuid(world.workspace.uuid), .uuid(guest)]
            ),
        ])
        return AccessThings(
            workspace: "\(world.workspace)", tenant: "\(world.tenant)", connection: "\(world.connection)",
            freeConnection: text(free), run: "\(run)", schedule: schedule["schedule_id"]?.string ?? "",
            backup: "\(run)", webhook: text(webhook), delivery: text(delivery),
            deadLetter: text(deadLetter), view: text(view), system: text(system),
            systemToken: text(systemToken), guest: text(guest), reader: "\(world.people[.readonly]!)",
            stranger: "\(world.stranger)")
    }

    /// A backup under the run's id, a webhook of the owner, and a mail to the owner about the run.
    private static func deliveries(
        _ site: Site, _ world: World, _ run: RunID
    ) async throws -> (webhook: UUID, delivery: UUID) {
        let (webhook, delivery) = (UUID(), UUID())
        let (workspace, owner) = (Parameter.uuid(world.workspace.uuid), Parameter.uuid(world.owner.uuid))
        _ = try await site.pool.pipeline([
            (
                """
                INSERT INTO backup_sets (tenant_id, id, connection_id, kinds)
                VALUES ($1::uuid, $2::uuid, $3::uuid, '{scope_tag}')
                """, [.uuid(world.tenant.uuid), .uuid(run.uuid), .uuid(world.connection.uuid)]
            ),
            (
                """
                INSERT INTO webhooks (id, workspace_id, user_id, label, origin, url_key_id, sealed_url, signing)
                VALUES ($1::uuid, $2::uuid, $3::uuid, 'x', 'https://example.com', 'k', 'x', 'ed25519')
                """, [.uuid(webhook), workspace, owner]
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
                """, [owner, workspace]
            ),
            (
                """
                INSERT INTO notifications (id, run_id, channel, workspace_id, tenant_id, user_id, title, body, event)
                VALUES ($1::uuid, $2::uuid, 'email', $3::uuid, $4::uuid, $5::uuid, 'x', '', '{}')
                """, [.uuid(delivery), .uuid(run.uuid), workspace, .uuid(world.tenant.uuid), owner]
            ),
        ])
        return (webhook, delivery)
    }

    private static func text(_ id: UUID) -> String { id.uuidString.lowercased() }

    /// The caller's token, made to be for so much.
    func token(
        of caller: AccessOracle.Caller, _ width: AccessOracle.Width, for needed: Capability?
    ) async throws -> String {
        let (user, token) = callers[Key(role: caller.role, relation: caller.relation)]!
        let needed = needed ?? .providerView
        let scope: TokenScope =
            switch width {
            case .full: .full
            case .needed: TokenScope(capabilities: [needed], tenants: nil)
            case .allButNeeded:
                TokenScope(capabilities: Set(Capability.allCases).subtracting([needed]), tenants: nil)
            case .here: TokenScope(capabilities: nil, tenants: [world.tenants[0]])
            case .elsewhere: TokenScope(capabilities: nil, tenants: [world.tenants[1]])
            }
        _ = try await site.pool.query(
            "UPDATE api_tokens SET capabilities = $3::text[], tenant_ids = $4::uuid[] WHERE user_id = $1::uuid AND label = $2",
            [
                .uuid(user.uuid), .text("test"),
                scope.capabilities.map { .texts($0.map(\.rawValue)) } ?? .null,
                scope.tenants.map { .uuids($0.map(\.uuid)) } ?? .null,
            ])
        return token
    }

    /// Everything of the workspace that a route may change, as text; tokens by their number.
    func state() async throws -> String {
        try await site.pool.query(
            """
            SELECT concat_ws('|',
                (SELECT string_agg(t::text, ',' ORDER BY id) FROM tenants t WHERE workspace_id = $1::uuid),
                (SELECT string_agg(m::text, ',' ORDER BY id) FROM memberships m WHERE workspace_id = $1::uuid),
                (SELECT string_agg(u::text, ',' ORDER BY id) FROM users u WHERE workspace_id = $1::uuid),
                (SELECT string_agg(c::text, ',' ORDER BY id) FROM provider_connections c
                 WHERE workspace_id = $1::uuid),
                (SELECT string_agg(k::text, ',' ORDER BY connection_id)
                 FROM provider_credentials k JOIN tenants t ON t.id = k.tenant_id WHERE t.workspace_id = $1::uuid),
                (SELECT count(*) || ',' || count(revoked_at) FROM api_tokens WHERE workspace_id = $1::uuid),
                (SELECT string_agg(r::text, ',' ORDER BY id) FROM runs r WHERE workspace_id = $1::uuid),
                (SELECT string_agg(s::text, ',' ORDER BY id) FROM schedules s WHERE workspace_id = $1::uuid),
                (SELECT string_agg(h::text || k::text, ',' ORDER BY h.id, k.number)
                 FROM webhooks h JOIN webhook_keys k ON k.webhook_id = h.id WHERE h.workspace_id = $1::uuid),
                (SELECT string_agg(n::text, ',' ORDER BY id) FROM notifications n WHERE workspace_id = $1::uuid),
                (SELECT string_agg(e::text, ',' ORDER BY user_id) FROM email_settings e
                 WHERE workspace_id = $1::uuid),
                (SELECT string_agg(v::text, ',' ORDER BY id) FROM saved_views v WHERE workspace_id = $1::uuid),
                (SELECT string_agg(l::text, ',' ORDER BY id) FROM dead_letters l WHERE workspace_id = $1::uuid),
                (SELECT w::text FROM workspaces w WHERE id = $1::uuid))
            """, [.uuid(world.workspace.uuid)])[0].text(0)
    }
}
