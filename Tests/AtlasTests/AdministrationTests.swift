import Fixtures
import FoundationEssentials
import Operations
import Postgres
import Store
import Testing

/// What makes tenants, people and the rest: sets of them, once, with one line in the audit each.
@Suite struct AdministrationTests {
    private func with(_ body: (TestDatabase, Administration, World) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let world = try await World.make(in: database.pool)
            try await body(
                database, Administration(pool: database.pool, makeID: { UUID() }), world)
        }
    }

    private func audit(_ database: TestDatabase, _ action: String) async throws -> Int {
        try await database.pool.query("SELECT count(*) AS n FROM audit WHERE action = $1", [.text(action)])[0]
            .int("n")
    }

    @Test func onlyWhatIsNewIsMade() async throws {
        try await with { database, administration, world in
            let tenants = (0..<3).map { Administration.NewTenant(id: TenantID(UUID()), name: "Tenant \($0)") }
            let actor = AuditRecord.Actor.user(world.owner)
            let first = try await administration.createTenants(
                Array(tenants.prefix(2)), in: world.workspace, by: actor)
            #expect(first == Set(tenants.prefix(2).map(\.id)))
            let second = try await administration.createTenants(tenants, in: world.workspace, by: actor)
            #expect(second == [tenants[2].id])
            #expect(try await audit(database, "tenant.created") == 3)
            let actors = try await database.pool.query(
                "SELECT DISTINCT actor_id FROM audit WHERE action = 'tenant.created'")
            #expect(try actors.map { try $0.uuid("actor_id") } == [world.owner.uuid])
            #expect(try await !administration.createWorkspace(world.workspace, name: "x", by: actor))
        }
    }

    @Test func nothingAtAllIsNoError() async throws {
        try await with { _, administration, world in
            let made = try await administration.createTenants([], in: world.workspace, by: .system)
            #expect(made.isEmpty)
            #expect(try await administration.createMemberships([], in: world.workspace, by: .system) == 0)
        }
    }

    @Test func aGrantThatHoldsStaysAsItIs() async throws {
        try await with { database, administration, world in
            let wanted = [
                Administration.NewMembership(user: world.operator, tenant: nil, role: .owner),
                Administration.NewMembership(user: world.operator, tenant: world.tenant, role: .readonly),
                Administration.NewMembership(user: world.stranger, tenant: world.tenant, role: .operator),
            ]
            #expect(try await administration.createMemberships(wanted, in: world.workspace, by: .system) == 1)
            #expect(try await administration.createMemberships(wanted, in: world.workspace, by: .system) == 0)
            let roles = try await database.pool.query(
                "SELECT role FROM memberships WHERE user_id = $1::uuid", [.uuid(world.operator.uuid)])
            #expect(try roles.map { try $0.text("role") } == ["operator"])
            #expect(try await audit(database, "access.granted") == 1)
        }
    }

    @Test func nothingPointsIntoAnotherWorkspace() async throws {
        try await with { database, administration, world in
            let other = WorkspaceID(UUID())
            let isNew = try await administration.createWorkspace(other, name: "Other", by: .system)
            #expect(isNew)
            await #expect(throws: PostgresError.self) {
                try await administration.createMemberships(
                    [.init(user: world.operator, tenant: world.tenant, role: .owner)], in: other, by: .system)
            }
            await #expect(throws: PostgresError.self) {
                try await administration.createConnections(
                    [connection(in: world.tenant, isDefault: false)], in: other, by: .system)
            }
            #expect(try await audit(database, "connection.created") == 0)
        }
    }

    @Test func aTenantHasOneDefaultConnection() async throws {
        try await with { _, administration, world in
            await #expect {
                try await administration.createConnections(
                    [connection(in: world.tenant, isDefault: true)], in: world.workspace, by: .system)
            } throws: {
                ($0 as? PostgresError)?.sqlState == "23505"
            }
            let second = connection(in: world.tenant, isDefault: false)
            let made = try await administration.createConnections([second], in: world.workspace, by: .system)
            #expect(made == [second.id])
        }
    }

    private func connection(in tenant: TenantID, isDefault: Bool) -> (
        id: ConnectionID, new: ConnectionChanges.New
    ) {
        let new = ConnectionChanges.New(
            tenant: tenant, displayName: "Another", cloud: "global",
            entraTenantID: "e-2", entraTenantName: "E", clientID: "c-2", isDefault: isDefault)
        return (ConnectionID(UUID()), new)
    }

    @Test func peopleAreFoundByNameAndByID() async throws {
        try await with { _, administration, world in
            let found = try await administration.findUsers("OPERATOR")
            #expect(found.map(\.id) == [world.operator])
            #expect(try await administration.findUsers("\(world.owner)").map(\.name) == ["owner"])
            #expect(try await administration.findUsers("nobody").isEmpty)
            #expect(try await administration.findUsers("\(UserID(UUID()))").isEmpty)
        }
    }
}
