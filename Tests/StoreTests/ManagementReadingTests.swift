import Fixtures
import FoundationEssentials
import Operations
import Postgres
import Store
import Testing

/// What the console's pages for managing read.
struct ManagementReadingTests {
    @Test("what people set and what is frozen are told apart")
    func freezes() async throws {
        try await Stand.with(tenants: 2) { stand in
            let (world, reading) = (stand.world, FreezeReading(pool: stand.pool))
            let (tenant, other) = (world.tenants[0], world.tenants[1])
            let before = try #require(await reading.tenant(tenant))
            #expect(before.operability == .operable && !before.isFrozen && !before.isFrozenAbove)
            #expect(before.frozenConnections.isEmpty)
            _ = try await stand.apply(.setOperability(tenant, .onboarding))
            _ = try await stand.apply(.freeze(.tenant(tenant)))
            _ = try await stand.apply(.freeze(.connection(world.connections[1])))
            let after = try #require(await reading.tenant(tenant))
            #expect(after.operability == .onboarding && after.isFrozen && !after.isFrozenAbove)
            #expect(after.frozenConnections.isEmpty)
            #expect(try await reading.tenant(other)?.frozenConnections == [world.connections[1]])
            #expect(try await reading.workspace(world.workspace)! == (false, false))
            _ = try await stand.apply(.freeze(.workspace))
            #expect(try await reading.workspace(world.workspace)! == (true, false))
            #expect(try await reading.tenant(other)?.isFrozenAbove == true)
            _ = try await stand.apply(.freeze(.everything))
            #expect(try await reading.workspace(world.workspace)! == (true, true))
            #expect(try await reading.tenant(TenantID(UUID())) == nil)
            #expect(try await reading.workspace(WorkspaceID(UUID())) == nil)
        }
    }

    @Test("names are those of the workspace, and of the tenants that were asked for")
    func names() async throws {
        try await Stand.with(tenants: 2) { stand in
            let world = stand.world
            let elsewhere = try await World.make(in: stand.pool)
            let ids =
                world.tenants.map(\.uuid) + world.connections.map(\.uuid) + [world.owner.uuid, UUID()]
                + [elsewhere.tenant.uuid, elsewhere.owner.uuid, elsewhere.connection.uuid]
            let names = try await NameReading(pool: stand.pool).names(
                of: ids + ids, in: world.workspace, on: [world.tenant, elsewhere.tenant])
            #expect(
                names == [
                    world.tenant.uuid: .init(kind: .tenant, name: "Tenant 1"),
                    world.connection.uuid: .init(kind: .connection, name: "Connection"),
                    world.owner.uuid: .init(kind: .user, name: "owner"),
                ])
            #expect(
                try await NameReading(pool: stand.pool).names(of: [], in: world.workspace, on: []).isEmpty)
        }
    }

    @Test("people are found by a part of their name, and by what they hold on a tenant")
    func people() async throws {
        try await Stand.with(tenants: 2) { stand in
            let (world, reading) = (stand.world, UserReading(pool: stand.pool))
            _ = try await stand.changes.grant(
                user: world.stranger, tenant: world.tenants[1], role: .operator, in: world.workspace,
                by: .system)
            func names(_ name: String?, on tenant: TenantID? = nil) async throws -> Set<String> {
                let page = try await reading.users(
                    of: world.workspace, grantsOn: world.tenants, named: name, entitledOn: tenant, after: nil,
                    limit: 50)
                return Set(page.entries.map(\.name))
            }
            #expect(try await names("ER") == ["owner", "manager", "operator", "stranger"])
            #expect(try await names("%") == [])
            let roles = Set(Role.allCases.map(\.rawValue))
            #expect(try await names(nil, on: world.tenants[0]) == roles)
            #expect(try await names(nil, on: world.tenants[1]) == roles.union(["stranger"]))
            let stranger = try await reading.user(
                world.stranger, of: world.workspace, grantsOn: [world.tenants[1]])
            #expect(stranger?.grants.map(\.tenantID) == [world.tenants[1]])
            #expect(try await reading.user(world.stranger, of: world.workspace, grantsOn: [])?.grants == [])
            #expect(try await reading.user(world.owner, of: WorkspaceID(UUID()), grantsOn: []) == nil)
        }
    }

    @Test("a bounded verification says that it stopped, and a whole one does not")
    func bounds() async throws {
        try await Stand.with { stand in
            for _ in 0..<3 {
                _ = try await stand.pool.query(
                    """
                    INSERT INTO audit (action, workspace_id, details)
                    SELECT 'test.' || n, $1::uuid, '{}' FROM generate_series(1, 10) n
                    """, [.uuid(stand.world.workspace.uuid)])
                try await stand.seal()
            }
            func verified(records: Int, seconds: Int = 60) async throws -> AuditVerification.Chain {
                try await AuditVerification(pool: stand.pool).verify(
                    stand.world.workspace, knownHead: nil,
                    within: .init(records: records, duration: .seconds(seconds))
                ) { _, _ in }[0]
            }
            let cut = try await verified(records: 20)
            #expect(cut.isCut && cut.records == 20 && cut.blocks == 2 && cut.finding == nil)
            let whole = try await verified(records: 30)
            #expect(!whole.isCut && whole.records == 30 && whole.blocks == 3)
            #expect(try await verified(records: 30, seconds: 0).isCut)
        }
    }
}
