import Waiting
import Fixtures
import Foundation
import Operations
import Postgres
import Store
import Testing

/// One change of every kind, and why the gate refuses a call after it.
private struct Taking: Sendable {
    let name: String
    var operation = OperationType.connectionCheck
    let reason: DenialReason
    let change: @Sendable (World) -> AuthorityChange

    init(
        _ name: String, _ reason: DenialReason, _ operation: OperationType = .connectionCheck,
        _ change: @escaping @Sendable (World) -> AuthorityChange
    ) {
        self.name = name
        self.reason = reason
        self.operation = operation
        self.change = change
    }

    static let all: [Taking] = [
        Taking("revoke", .tenantNotEntitled) { .revokeMembership(user: $0.people[.manager]!, tenant: nil) },
        Taking("lower the role", .capabilityMissing) {
            .changeRole(user: $0.people[.manager]!, tenant: nil, role: .readonly)
        },
        Taking("disable the user", .initiatorDisabled) { .disableUser($0.people[.manager]!) },
        Taking("suspend", .tenantSuspended) { .setOperability($0.tenant, .suspended) },
        Taking("archive", .tenantArchived) { .setOperability($0.tenant, .archived) },
        Taking("back to onboarding", .tenantOnboarding) { .setOperability($0.tenant, .onboarding) },
        Taking("close the write gate", .writeGateClosed, .restoreExecute) {
            .setWriteGate($0.tenant, isOpen: false)
        },
        Taking("disable the connection", .connectionDisabled) { .setConnectionEnabled($0.connection, false) },
        Taking("freeze the connection", .grantSuperseded) { .freeze(.connection($0.connection)) },
        Taking("freeze the tenant", .grantSuperseded) { .freeze(.tenant($0.tenant)) },
        Taking("freeze the workspace", .grantSuperseded) { _ in .freeze(.workspace) },
        Taking("freeze everything", .grantSuperseded) { _ in .freeze(.everything) },
    ]

    /// Runs `body` for each kind with a running run of the manager, in a world of its own.
    static func each(_ body: (Taking, Stand, Executing) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            for taking in all {
                let world = try await World.make(in: database.pool, tenants: 2)
                let stand = Stand(database: database, world: world)
                try await stand.permitChanges()
                let executing = try await stand.running(taking.operation, by: world.people[.manager]!)
                try await body(taking, stand, executing)
            }
        }
    }
}

@Suite("Authority changes", .serialized)
struct AuthorityChangesTests {
    @Test("after every kind of change no permit opens, with the reason; and it is audited once")
    func refused() async throws {
        try await Taking.each { taking, stand, executing in
            #expect(try await executing.refusal() == nil, "\(taking.name): before")
            let epoch = try await stand.epoch()
            let answer = try await stand.apply(taking.change(stand.world))
            #expect(try await stand.epoch() == epoch + 1, "\(taking.name)")
            #expect(answer.settledAt != nil && answer.inDoubt.isEmpty, "\(taking.name)")
            #expect(try await executing.refusal()?.reason == taking.reason, "\(taking.name)")
            #expect(try await stand.actions(executing.id).last == "call.denied", "\(taking.name)")
            // The change, and when it took effect.
            let audited = try await stand.pool.query(
                "SELECT action FROM audit WHERE actor_id = $1::uuid AND workspace_id = $2::uuid ORDER BY id",
                [.uuid(stand.world.owner.uuid), .uuid(stand.world.workspace.uuid)]
            ).map { try $0.text(0) }
            #expect(audited.count == 2 && audited.last == "authority.took_effect", "\(taking.name)")
        }
    }

    @Test("every kind settles when the open permit is closed, not before")
    func settles() async throws {
        try await Taking.each { taking, stand, executing in
            let call = try await executing.open()
            let change = Task { try await stand.apply(taking.change(stand.world)) }
            try await eventually("\(taking.name) is effective") {
                try await executing.refusal() != nil ? () : nil
            }
            try await executing.permits.close(call, status: 200)
            let answer = try await change.value
            let closed = try await stand.pool.query(
                "SELECT closed_at FROM call_permits WHERE id = $1::uuid", [.uuid(call.uuid)])[0].date(0)
            #expect(try #require(answer.settledAt) >= closed, "\(taking.name)")
        }
    }

    @Test("every kind reports a call in doubt whose holder never closed it, and never claims to have settled")
    func inDoubt() async throws {
        try await Taking.each { taking, stand, executing in
            let call = try await executing.open(limit: .milliseconds(150))
            let answer = try await stand.apply(taking.change(stand.world))
            #expect(answer.settledAt == nil, "\(taking.name)")
            #expect(answer.inDoubt.map(\.id) == [call], "\(taking.name)")
            #expect(answer.inDoubt.map(\.runID) == [executing.id], "\(taking.name)")
            // It waited until the deadline: the call could have ended well until then.
            let now = try await stand.pool.query("SELECT clock_timestamp()")[0].date(0)
            #expect(answer.inDoubt.allSatisfy { $0.deadline <= now }, "\(taking.name)")
            // The next worlds share the table; one change concerns them all.
            _ = try await stand.repairAll()
        }
    }

    @Test("one call closed and one in doubt: the change has not settled")
    func both() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let closing = try await executing.open()
            let lost = try await executing.open(limit: .milliseconds(100))
            let change = Task {
                try await stand.apply(.revokeMembership(user: stand.world.operator, tenant: nil))
            }
            try await eventually("it is effective") { try await executing.refusal() != nil ? () : nil }
            try await executing.permits.close(closing, status: 200)
            let answer = try await change.value
            #expect(answer.settledAt == nil)
            #expect(answer.inDoubt.map(\.id) == [lost])
        }
    }

    @Test("permits of other tenants, grants and workspaces hold nothing up")
    func others() async throws {
        try await Stand.with(tenants: 2) { stand in
            let world = stand.world
            let other = Stand(database: stand.database, world: try await World.make(in: stand.pool))
            _ = try await stand.running(by: world.people[.manager]!).open()
            _ = try await other.running().open(limit: .seconds(2))
            let neighbour = try await stand.running(tenant: 1)
            _ = try await neighbour.open()
            let grant = try await stand.changes.grant(
                user: world.stranger, tenant: world.tenants[1], role: .operator, in: world.workspace,
                by: .system)
            // None of these has a permit open, while permits of the same tenant or user, of other grants, are.
            for change: AuthorityChange in [
                .revokeMembership(user: world.stranger, tenant: world.tenants[1]),
                .revokeMembership(user: world.people[.owner]!, tenant: nil),
                .changeRole(user: world.people[.readonly]!, tenant: nil, role: .operator),
                .disableUser(world.stranger),
            ] {
                let start = ContinuousClock.now
                let answer = try await stand.apply(change)
                #expect(answer.settledAt != nil)
                #expect(ContinuousClock.now - start < .seconds(5), "\(change)")
            }
            #expect(try await neighbour.refusal() == nil)
            #expect(
                try await stand.count(
                    "SELECT count(*) FROM memberships WHERE id = $1::uuid AND revoked_at IS NOT NULL",
                    [.uuid(grant.id.uuid)]) == 1)
            // A tenant's change waits for that tenant's alone.
            let onlyOther = try await other.changes.apply(
                .freeze(.workspace), in: other.world.workspace, by: .system)
            #expect(onlyOther.inDoubt.count == 1)
            #expect(try await neighbour.refusal() == nil)
        }
    }

    @Test("a grant that is given again is another one: work of the first stays refused, new work may run")
    func grantedAgain() async throws {
        try await Stand.with { stand in
            let world = stand.world
            let executing = try await stand.running()
            _ = try await stand.apply(.revokeMembership(user: world.operator, tenant: nil))
            _ = try await stand.changes.grant(
                user: world.operator, tenant: nil, role: .operator, in: world.workspace, by: .system)
            #expect(try await executing.refusal()?.reason == .grantSuperseded)
            _ = try await stand.runs(of: executing.worker).finish(
                executing.run, .failed(.invalidRequest, SummaryCounts()))
            #expect(try await stand.running().refusal() == nil)
        }
    }

    @Test("a role on a tenant stands before the one on the workspace: giving it waits like taking away")
    func shadowing() async throws {
        try await Stand.with(tenants: 2) { stand in
            let world = stand.world
            let executing = try await stand.running()
            let neighbour = try await stand.running(tenant: 1)
            let (call, other) = (try await executing.open(), try await neighbour.open())
            let epoch = try await stand.epoch()
            let giving = Task { try await stand.giveReadonly() }
            try await eventually("it is effective") { try await executing.refusal() != nil ? () : nil }
            #expect(try await executing.refusal()?.reason == .grantSuperseded)
            #expect(try await neighbour.refusal() == nil)
            try await executing.permits.close(call, status: 200)
            let given = try await giving.value
            let closed = try await stand.pool.query(
                "SELECT closed_at FROM call_permits WHERE id = $1::uuid", [.uuid(call.uuid)])[0].date(0)
            #expect(try #require(given.barrier?.settledAt) >= closed)
            #expect(try await stand.epoch() == epoch + 1)
            try await neighbour.permits.close(other, status: 200)
            let queued = try await stand.starts.start(stand.request(.complianceSnapshot))
            guard case .refused(.forbidden) = queued else { throw Unexpected(queued) }
            _ = try await stand.apply(.revokeMembership(user: world.operator, tenant: world.tenant))
        }
    }

    @Test(
        "giving a role that supersedes another reports a call in doubt; one that does not waits for nothing")
    func shadowingInDoubt() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let call = try await executing.open(limit: .milliseconds(150))
            let fresh = try await stand.changes.grant(
                user: stand.world.stranger, tenant: stand.world.tenant, role: .operator,
                in: stand.world.workspace, by: .system)
            #expect(fresh.barrier == nil)
            let given = try await stand.giveReadonly()
            let barrier = try #require(given.barrier)
            #expect(barrier.settledAt == nil)
            #expect(barrier.inDoubt.map(\.id) == [call])
        }
    }

    @Test("what was frozen does not come back with the thaw; what is started afterwards runs")
    func thaw() async throws {
        try await TestDatabase.with { database in
            let scopes: [(World) -> FreezeScope] = [
                { .connection($0.connection) }, { .tenant($0.tenant) }, { _ in .workspace },
                { _ in .everything },
            ]
            for scope in scopes {
                let world = try await World.make(in: database.pool)
                let stand = Stand(database: database, world: world)
                let scope = scope(world)
                let executing = try await stand.running()
                _ = try await stand.apply(.freeze(scope))
                let during = try await stand.starts.start(stand.request(.complianceSnapshot))
                guard case .refused(.denied) = during else { throw Unexpected(during) }
                try await stand.changes.unfreeze(scope, in: world.workspace, by: .system)
                #expect(try await executing.refusal()?.reason == .grantSuperseded, "\(scope)")
                _ = try await stand.runs(of: executing.worker).finish(
                    executing.run, .failed(.invalidRequest, SummaryCounts()))
                #expect(try await stand.running().refusal() == nil, "\(scope)")
            }
        }
    }

    @Test("a thaw does not enable what was disabled for itself")
    func ownSwitch() async throws {
        try await Stand.with { stand in
            let world = stand.world
            _ = try await stand.apply(.setConnectionEnabled(world.connection, false))
            _ = try await stand.apply(.freeze(.connection(world.connection)))
            try await stand.changes.unfreeze(
                .connection(world.connection), in: world.workspace, by: .system)
            let answer = try await stand.starts.start(stand.request())
            guard case .refused(.denied(.connectionDisabled)) = answer else { throw Unexpected(answer) }
        }
    }

    @Test("a freeze of everything is told to every workspace's auditor")
    func everywhere() async throws {
        try await Stand.with { stand in
            _ = try await World.make(in: stand.pool)
            _ = try await stand.apply(.freeze(.everything))
            #expect(
                try await stand.count(
                    "SELECT count(DISTINCT workspace_id) FROM audit WHERE action = 'freeze.set'") == 2)
        }
    }

    @Test("what was queued before a freeze ends blocked after the thaw")
    func queuedBefore() async throws {
        try await Stand.with { stand in
            let run = try await stand.start()
            _ = try await stand.apply(.freeze(.tenant(stand.world.tenant)))
            try await stand.changes.unfreeze(
                .tenant(stand.world.tenant), in: stand.world.workspace, by: .system)
            let beginning = try await stand.runs(of: stand.worker()).begin([run.job])[0].get()
            guard case .refused(_, .grantSuperseded, ended: true, _) = beginning else {
                throw Unexpected(beginning)
            }
        }
    }

    @Test("giving back wakes the waiting runs of that tenant, and no other's")
    func wakes() async throws {
        try await Stand.with(tenants: 2) { stand in
            let world = stand.world
            let runs = stand.runs(of: try await stand.worker())
            for tenant in 0..<2 {
                let run = try await stand.start(tenant: tenant)
                _ = try await stand.pool.query("DELETE FROM outbox WHERE message_id LIKE '%:1'")
                _ = try await stand.apply(.setOperability(world.tenants[tenant], .suspended))
                _ = try await runs.begin([run.job])[0].get()
            }
            let due: Postgres.Statement = """
                SELECT count(*) FROM outbox o JOIN runs r ON r.id = o.run_id
                WHERE o.due_at <= clock_timestamp() AND r.tenant_id = $1::uuid
                """
            _ = try await stand.pool.query("UPDATE outbox SET due_at = clock_timestamp() + interval '1 hour'")
            _ = try await stand.apply(.setOperability(world.tenant, .operable))
            #expect(try await stand.count(due, [.uuid(world.tenant.uuid)]) == 1)
            #expect(try await stand.count(due, [.uuid(world.tenants[1].uuid)]) == 0)
        }
    }

    @Test("what is not there can't be changed, and nothing is audited")
    func missing() async throws {
        try await Stand.with { stand in
            let world = stand.world
            let other = try await World.make(in: stand.pool)
            let changes: [AuthorityChange] = [
                .revokeMembership(user: world.stranger, tenant: nil),
                .revokeMembership(user: world.operator, tenant: world.tenant),
                .revokeMembership(user: other.operator, tenant: nil),
                .changeRole(user: world.stranger, tenant: nil, role: .owner),
                .disableUser(other.operator), .setOperability(other.tenant, .suspended),
                .setWriteGate(other.tenant, isOpen: true), .setConnectionEnabled(other.connection, false),
                .freeze(.tenant(other.tenant)), .freeze(.connection(other.connection)),
            ]
            for change in changes {
                await #expect(throws: StoreError.self, "\(change)") { try await stand.apply(change) }
            }
            await #expect(throws: StoreError.self) {
                try await stand.changes.grant(
                    user: world.stranger, tenant: other.tenant, role: .owner, in: world.workspace, by: .system
                )
            }
            #expect(try await stand.count("SELECT count(*) FROM audit") == 0)
        }
    }
}

extension Stand {
    /// The first tenant's authority epoch.
    fileprivate func epoch() async throws -> Int {
        try await count("SELECT authority_epoch FROM tenants WHERE id = $1::uuid", [.uuid(world.tenant.uuid)])
    }

    /// Gives the operator, who holds a role on the whole workspace, a lower one on the first tenant.
    fileprivate func giveReadonly() async throws -> GivenGrant {
        try await changes.grant(
            user: world.operator, tenant: world.tenant, role: .readonly, in: world.workspace, by: .system)
    }

    /// Ends what is open, whoever holds it.
    fileprivate func repairAll() async throws -> Int {
        try await pool.query("UPDATE call_permits SET closed_at = clock_timestamp() WHERE closed_at IS NULL")
            .affected
    }
}
