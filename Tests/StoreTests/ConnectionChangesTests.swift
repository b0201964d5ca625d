import Waiting
import CredentialFixtures
import Fixtures
import Foundation
import Operations
import Postgres
import Store
import Synchronization
import Testing

@Suite("Connection changes", .serialized)
struct ConnectionChangesTests {
    private func changes(_ stand: Stand) -> ConnectionChanges {
        ConnectionChanges(pool: stand.pool, makeID: { UUID() })
    }

    // MARK: the default

    @Test("64 at once make connections and choose the default: there is exactly one at every moment")
    func oneDefault() async throws {
        try await Stand.with(poolSize: 16) { stand in
            let world = stand.world
            let tenant = world.tenant
            var ids = [world.connection]
            for _ in 0..<8 {
                ids.append(try await ConnectionSample(on: tenant).make(in: world.workspace, stand.pool))
            }
            let known = ids
            let isOver = Atomic(false)
            let looking = Task {
                var seen: Set<Int> = []
                var looks = 0
                while !isOver.load(ordering: .relaxed) {
                    seen.insert(
                        try await stand.count(
                            "SELECT count(*) FROM provider_connections WHERE tenant_id = $1::uuid AND is_default",
                            [.uuid(tenant.uuid)]))
                    looks += 1
                }
                return (seen, looks)
            }
            let answers = try await withThrowingTaskGroup(of: ConnectionChanges.CreateAnswer?.self) { group in
                for index in 0..<64 {
                    group.addTask {
                        if index % 2 == 0 {
                            try await changes(stand).makeDefault(
                                known[index % known.count], of: tenant, in: world.workspace,
                                by: .user(world.owner))
                            return nil
                        }
                        var sample = ConnectionSample(on: tenant)
                        sample.new.isDefault = index % 4 == 1
                        return try await changes(stand).create(sample.new, in: world.workspace, by: .system)
                    }
                    // Starts lock the same rows: none may fail or wait in a circle.
                    group.addTask {
                        _ = try await stand.starts.start(stand.request())
                        return nil
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            isOver.store(true, ordering: .relaxed)
            let (seen, looks) = try await looking.value
            #expect(seen == [1])
            #expect(looks > 5)
            #expect(answers.compactMap(\.self).count == 32)
            let switched = try await stand.count(
                "SELECT count(*) FROM audit WHERE action = 'connection.default_set'")
            #expect(switched >= 17)
        }
    }

    @Test("a tenant's first connection is its default; the same one is made once, however many ask at once")
    func madeOnce() async throws {
        try await Stand.with(poolSize: 8) { stand in
            let world = stand.world
            let tenant = TenantID(UUID())
            _ = try await stand.pool.query(
                "INSERT INTO tenants (id, workspace_id, name) VALUES ($1::uuid, $2::uuid, 'New')",
                [.uuid(tenant.uuid), .uuid(world.workspace.uuid)])
            let sample = ConnectionSample(on: tenant)
            let answers = try await withThrowingTaskGroup(of: ConnectionChanges.CreateAnswer.self) { group in
                for _ in 0..<32 {
                    group.addTask {
                        try await changes(stand).create(
                            sample.new, in: world.workspace, by: .user(world.owner))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let created = answers.compactMap { if case .created(let id) = $0 { id } else { nil } }
            try #require(created.count == 1)
            #expect(answers.filter { $0 == .exists(created[0]) }.count == 31)
            let row = try await stand.pool.query(
                "SELECT is_default, enabled FROM provider_connections WHERE id = $1::uuid",
                [.uuid(created[0].uuid)])[0]
            #expect(try row.bool(0) && row.bool(1))
            #expect(
                try await stand.count("SELECT count(*) FROM audit WHERE action = 'connection.created'") == 1)
        }
    }

    @Test("a tenant has a limited number of connections, and none of another workspace's tenant is made")
    func limits() async throws {
        try await Stand.with { stand in
            let world = stand.world
            let foreign = try await World.make(in: stand.pool)
            await #expect(throws: PostgresError.self) {
                try await changes(stand).create(
                    ConnectionSample(on: foreign.tenant).new, in: world.workspace, by: .system)
            }
            await #expect(throws: StoreError.notFound("provider connection")) {
                try await changes(stand).makeDefault(
                    foreign.connection, of: world.tenant, in: world.workspace, by: .system)
            }
            for _ in 1..<ConnectionChanges.tenantLimit {
                _ = try await ConnectionSample(on: world.tenant).make(in: world.workspace, stand.pool)
            }
            let answer = try await changes(stand).create(
                ConnectionSample(on: world.tenant).new, in: world.workspace, by: .system)
            #expect(answer == .tooMany)
        }
    }

    // MARK: editing

    private func edit(
        _ stand: Stand, _ edit: ConnectionChanges.Edit, at revision: Int
    ) async throws -> ConnectionChanges.EditAnswer {
        try await changes(stand).edit(
            stand.world.connection, of: stand.world.tenant, edit, at: revision, in: stand.world.workspace,
            by: .user(stand.world.owner))
    }

    private func epoch(_ stand: Stand) async throws -> Int {
        try await stand.count(
            "SELECT authority_epoch FROM tenants WHERE id = $1::uuid", [.uuid(stand.world.tenant.uuid)])
    }

    @Test("of edits that saw the same revision one is made")
    func noLostUpdate() async throws {
        try await Stand.with(poolSize: 8) { stand in
            let answers = try await withThrowingTaskGroup(of: ConnectionChanges.EditAnswer.self) { group in
                for index in 0..<32 {
                    group.addTask { try await edit(stand, .init(displayName: "Name \(index)"), at: 1) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.filter { $0 == .edited(nil) }.count == 1)
            #expect(answers.filter { $0 == .stale }.count == 31)
            #expect(try await edit(stand, .init(displayName: "Next"), at: 2) == .edited(nil))
            #expect(
                try await stand.count("SELECT count(*) FROM audit WHERE action = 'connection.changed'") == 2)
            await #expect(throws: StoreError.notFound("provider connection")) {
                try await changes(stand).edit(
                    stand.world.connection, of: stand.world.tenant, .init(displayName: "x"), at: 3,
                    in: WorkspaceID(UUID()), by: .system)
            }
        }
    }

    @Test("another Entra tenant refuses what was queued for the one before, with its reason")
    func queuedRunsAreDenied() async throws {
        try await Stand.with { stand in
            let run = try await stand.start()
            let before = try await epoch(stand)
            try await stand.permitChanges()
            let answer = try await edit(stand, .init(entraTenantID: "another"), at: 1)
            guard case .edited(let barrier?) = answer else { throw Unexpected(answer) }
            #expect(barrier.settledAt != nil)
            #expect(try await epoch(stand) == before + 1)
            let begun = try await stand.runs(of: stand.worker()).begin([run.job])[0].get()
            #expect(begun.word == "blocked: connection_scope_changed")
            let state = try await stand.pool.query(
                """
                SELECT c.health, t.write_gate_healthy, t.write_gate_checked_at IS NULL
                FROM provider_connections c JOIN tenants t ON t.id = c.tenant_id WHERE c.id = $1::uuid
                """, [.uuid(stand.world.connection.uuid)])[0]
            #expect(try state.text(0) == "unknown")
            #expect(try !state.bool(1) && state.bool(2), "the check was of another directory")
            // What is started now is of the new scope.
            _ = try await stand.running()
        }
    }

    @Test("another Entra tenant waits for the call on the wire, and no other begins")
    func rescopeSettles() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let call = try await executing.open()
            let change = Task { try await edit(stand, .init(entraTenantID: "another"), at: 1) }
            try await eventually("it is effective") { try await executing.refusal() != nil ? () : nil }
            #expect(try await executing.refusal()?.reason == .connectionScopeChanged)
            try await executing.permits.close(call, status: 200)
            guard case .edited(let barrier?) = try await change.value else { throw Unexpected(call) }
            let closed = try await stand.pool.query(
                "SELECT closed_at FROM call_permits WHERE id = $1::uuid", [.uuid(call.uuid)])[0].date(0)
            #expect(try #require(barrier.settledAt) >= closed)
        }
    }

    @Test("a call that nobody closed is in doubt")
    func rescopeInDoubt() async throws {
        try await Stand.with { stand in
            let call = try await stand.running().open(limit: .milliseconds(200))
            guard case .edited(let barrier?) = try await edit(stand, .init(entraTenantID: "another"), at: 1)
            else { throw Unexpected(call) }
            #expect(barrier.settledAt == nil)
            #expect(barrier.inDoubt.map(\.id) == [call])
        }
    }

    @Test("the same Entra tenant and other names take nothing away; what another connection has is taken")
    func namesOnly() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let same = try await stand.pool.query("SELECT entra_tenant_id FROM provider_connections")[0].text(
                0)
            #expect(
                try await edit(stand, .init(displayName: "x", entraTenantID: same), at: 1) == .edited(nil))
            #expect(try await executing.refusal() == nil)
            var other = ConnectionSample(on: stand.world.tenant)
            other.new.clientID = "client"
            _ = try await other.make(in: stand.world.workspace, stand.pool)
            #expect(
                try await edit(stand, .init(entraTenantID: other.new.entraTenantID), at: 2) == .taken)
            #expect(try await executing.refusal() == nil)
        }
    }

    // MARK: credentials

    private func set(_ stand: Stand, version: Int) async throws -> CredentialChanges.Answer {
        try await CredentialChanges(pool: stand.pool).set(
            NewCredential(version: version, kind: "secret", keyID: "k", sealed: [1]),
            of: stand.world.connection, tenant: stand.world.tenant, in: stand.world.workspace,
            by: stand.world.owner)
    }

    @Test("of credentials that were sealed for the same version one is set, and only for the next version")
    func oneCredential() async throws {
        try await Stand.with(poolSize: 8) { stand in
            for version in [1, 3] { #expect(try await set(stand, version: version) == .stale) }
            let answers = try await withThrowingTaskGroup(of: CredentialChanges.Answer.self) { group in
                for _ in 0..<32 { group.addTask { try await set(stand, version: 2) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.filter { $0 == .stale }.count == 31)
            let audited = try await stand.pool.query(
                "SELECT actor_id, details::text FROM audit WHERE action = 'credential.set'")
            try #require(audited.count == 1)
            #expect(try audited[0].uuid(0) == stand.world.owner.uuid)
            #expect(try audited[0].text(1).contains("\"version\": 2"))
        }
    }

    @Test("the services' login sets and replaces credentials, and reads none")
    func rightsOfServices() async throws {
        try await Stand.with { stand in
            let world = stand.world
            let mark = stand.database.url.contains("?") ? "&" : "?"
            let services = PostgresPool(
                PostgresConfiguration(
                    url: stand.database.url + mark + "options=-c%20role%3Dtenantatlas_services"),
                logger: TestDatabase.quiet)
            let who = try await services.query("SELECT current_user::text")[0].text(0)
            #expect(who == "tenantatlas_services")
            let credentials = CredentialChanges(pool: services)
            let id = try await ConnectionSample(on: world.tenant).make(in: world.workspace, services)
            for version in 1...3 {
                let next = try await credentials.next(of: id, tenant: world.tenant, in: world.workspace)
                #expect(next.version == version)
                let answer = try await credentials.set(
                    NewCredential(version: version, kind: "secret", keyID: "k", sealed: [7]), of: id,
                    tenant: world.tenant, in: world.workspace, by: world.owner)
                guard case .set = answer else { throw Unexpected(answer) }
            }
            let shown = try await TenantReading(pool: services).connection(id)
            #expect(shown?.credential?.version == 3)
            _ = try await stand.starts.start(stand.request())
            for read in [
                { _ = try await ProviderConnections(pool: services).find(id, of: world.tenant) },
                { _ = try await credentials.sealedToOthers(than: "x", after: nil, limit: 1) },
            ] as [() async throws -> Void] {
                await #expect {
                    try await read()
                } throws: {
                    ($0 as? PostgresError)?.sqlState == "42501"
                }
            }
            await services.close()
        }
    }

    @Test("a rotation waits for the call on the wire; permits after it are of the new credential")
    func rotationSettles() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let first = try await executing.permits.open(
                under: executing.permit, call: "GET /x", timeLimit: .seconds(20))
            #expect(first.credentialVersion == 1)
            let (id, rotation) = (first.id, Task { try await set(stand, version: 2) })
            _ = consume first
            try await eventually("the new one holds") {
                let next = try await executing.permits.open(
                    under: executing.permit, call: "GET /x", timeLimit: .seconds(20))
                let (version, permit) = (next.credentialVersion, next.id)
                _ = consume next
                try await executing.permits.close(permit, status: 200)
                return version == 2 ? () : nil
            }
            try await executing.permits.close(id, status: 200)
            guard case .set(let barrier?) = try await rotation.value else { throw Unexpected(id) }
            let closed = try await stand.pool.query(
                "SELECT closed_at FROM call_permits WHERE id = $1::uuid", [.uuid(id.uuid)])[0].date(0)
            #expect(try #require(barrier.settledAt) >= closed)
        }
    }
}
