import Fixtures
import Foundation
import Operations
import Postgres
import Store
import Testing

/// What is told before a change of authority is what happens when it is made.
@Suite("Authority previews")
struct AuthorityPreviewTests {
    /// A change, as the world has its ids.
    struct Wish: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (World) -> AuthorityChange

        init(_ description: String, _ change: @escaping @Sendable (World) -> AuthorityChange) {
            testDescription = description
            self.change = change
        }
    }

    static let wishes = [
        Wish("revoke on the workspace") { .revokeMembership(user: $0.operator, tenant: nil) },
        Wish("revoke on a tenant") { .revokeMembership(user: $0.stranger, tenant: $0.tenants[2]) },
        Wish("lower a role") { .changeRole(user: $0.operator, tenant: nil, role: .readonly) },
        Wish("raise a role") { .changeRole(user: $0.operator, tenant: nil, role: .manager) },
        Wish("disable a person") { .disableUser($0.operator) },
        Wish("suspend") { .setOperability($0.tenants[0], .suspended) },
        Wish("archive") { .setOperability($0.tenants[0], .archived) },
        Wish("close the write gate") { .setWriteGate($0.tenants[1], isOpen: false) },
        Wish("disable a connection") { .setConnectionEnabled($0.connections[3], false) },
        Wish("freeze a tenant") { .freeze(.tenant($0.tenants[1])) },
        Wish("freeze a connection") { .freeze(.connection($0.connections[0])) },
        Wish("freeze the workspace") { _ in .freeze(.workspace) },
        Wish("freeze everything") { _ in .freeze(.everything) },
    ]

    @Test("on a quiet queue the prediction is what then happens", arguments: wishes)
    func prediction(_ wish: Wish) async throws {
        try await Stand.with(tenants: 6) { stand in
            let world = stand.world
            try await stand.permitChanges()
            try await stand.entitle(world.stranger, on: world.tenants[2])
            // Queued by a person, for a change, by another person, and by the system; one executes, one waits already.
            var queued = [
                try await stand.start(), try await stand.start(.deviceBulkSync, by: world.owner, tenant: 1),
                try await stand.start(by: world.stranger, tenant: 2),
            ]
            try await stand.schedule(at: [3], due: -120)
            queued += try await stand.systemRuns()
            let running = try await stand.running(tenant: 4)
            let schedules =
                try await stand.schedule(.complianceSnapshot, at: [0, 3], by: world.operator, due: 3_600)
                + stand.schedule(.backupRun, at: [0, 1], due: 3_600)
            let change = wish.change(world)

            let before = try await stand.everything()
            let outlook = try await AuthorityPreview(pool: stand.pool).outlook(change, in: world.workspace)
            #expect(outlook.isWhole)
            #expect(try await stand.everything() == before, "nothing has changed")

            _ = try await stand.apply(change)
            for run in queued {
                let id = run.execution.runID
                let told = outlook.runs.first { $0.id == id }
                let row = try await stand.opened(run)
                #expect(
                    told.map { $0.ends ? "completed" : "queued" } ?? "running" == row.state,
                    "\(run.execution.operation)")
                #expect(told?.reason.rawValue == row.reason)
                if told?.ends == true { #expect(row.outcome == "blocked") }
            }
            let stopped = outlook.runs.first { $0.id == running.id }
            #expect(stopped?.state ?? .running == .running)
            let refusal = try await running.refusal()
            #expect((stopped != nil) == (refusal != nil), "\(String(describing: refusal))")
            for id in schedules {
                let schedule = try #require(try await stand.schedules.schedule(id))
                #expect(schedule.obstacle == outlook.schedules.first { $0.id == id }?.reason)
            }
        }
    }

    @Test("what is refused already is not told of")
    func nothingNew() async throws {
        try await Stand.with { stand in
            _ = try await stand.start()
            _ = try await stand.apply(.setOperability(stand.world.tenant, .suspended))
            let preview = AuthorityPreview(pool: stand.pool)
            let same = AuthorityChange.setOperability(stand.world.tenant, .suspended)
            #expect(try await preview.outlook(same, in: stand.world.workspace).runs == [])
            let worse = AuthorityChange.setOperability(stand.world.tenant, .archived)
            let runs = try await preview.outlook(worse, in: stand.world.workspace).runs
            #expect(runs.map(\.reason) == [.tenantArchived])
            #expect(runs.map(\.ends) == [true])
        }
    }

    @Test("where there is nothing to change, that is said")
    func nothingThere() async throws {
        try await Stand.with { stand in
            _ = await #expect(throws: StoreError.self) {
                _ = try await AuthorityPreview(pool: stand.pool).outlook(
                    .revokeMembership(user: stand.world.stranger, tenant: nil), in: stand.world.workspace)
            }
        }
    }
}

extension Stand {
    fileprivate func entitle(_ user: UserID, on tenant: TenantID) async throws {
        _ = try await pool.query(
            """
            INSERT INTO memberships (id, workspace_id, user_id, tenant_id, role)
            VALUES (gen_random_uuid(), $1::uuid, $2::uuid, $3::uuid, 'operator')
            """, [.uuid(world.workspace.uuid), .uuid(user.uuid), .uuid(tenant.uuid)])
    }

    /// The runs that due schedules start.
    fileprivate func systemRuns() async throws -> [RunSnapshot] {
        let fired = try await fire()
        #expect(fired.queued == 1)
        return try await pool.query(
            "SELECT id, connection_id FROM runs WHERE initiator_id IS NULL"
        ).map { row in
            let connection = try row.uuid("connection_id")
            let index = world.connections.firstIndex { $0.uuid == connection }!
            return RunSnapshot(
                execution: QueuedExecution(
                    runID: RunID(try row.uuid("id")), operation: OperationType.connectionCheck.rawValue,
                    workspaceID: world.workspace, tenantID: world.tenants[index],
                    connectionID: world.connections[index], initiatorID: nil, expiresAt: .distantFuture,
                    context: nil),
                state: .queued, attempt: 1, queuedAt: Date())
        }
    }

    /// The run after its message was delivered to a consumer.
    fileprivate func opened(_ run: RunSnapshot) async throws -> RunRow {
        let family = OperationCatalogue.definition(named: run.execution.operation)!.family
        _ = try await runs(of: try await worker(), family: family).begin([run.job])[0].get()
        return try await row(run.execution.runID)
    }

    /// Everything that a change of authority could touch, as one text.
    fileprivate func everything() async throws -> String {
        try await pool.query(
            """
            SELECT (SELECT json_agg(m ORDER BY id) FROM memberships m)::text
                || (SELECT json_agg(t ORDER BY id) FROM tenants t)::text
                || (SELECT json_agg(c ORDER BY id) FROM provider_connections c)::text
                || (SELECT json_agg(u ORDER BY id) FROM users u)::text
                || (SELECT json_agg(w ORDER BY id) FROM workspaces w)::text
                || (SELECT json_agg(p) FROM platform p)::text
                || (SELECT json_agg(r ORDER BY id) FROM runs r)::text
                || (SELECT count(*) FROM audit) || (SELECT count(*) FROM outbox)
            """)[0].text(0)
    }
}
