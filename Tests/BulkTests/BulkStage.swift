import Waiting
import ServiceKit
import AMQP
import CredentialFixtures
import Fixtures
import Foundation
import GraphFixtures
import JSON
import JobRuntime
import Operations
import Postgres
import Sealing
import Store
import Testing

@testable import InventoryConsumer

/// A provider stage with an inventory, consumers of the bulk family as they are installed (processes of their own), and
/// a starter's relay and maintenance in this one.
final class BulkStage {
    static let roles: [JSON] =
        ProviderStage.readers + [
            "DeviceManagementManagedDevices.PrivilegedOperations.All",
            "DeviceManagementConfiguration.ReadWrite.All", "DeviceManagementScripts.ReadWrite.All",
            "DeviceManagementApps.ReadWrite.All", "Group.Read.All",
        ]

    /// Tenants with the same one have the same devices.
    private static let deviceSeed: JSON = "same"

    let provider: ProviderStage
    let virtualHost: VirtualHost
    private let environment: [String: String]
    private let publisher: Publisher
    private let relay: OutboxRelay
    private let tasks: [Task<Void, Never>]
    private(set) var processes: [Process] = []

    var pool: PostgresPool { provider.database.pool }
    var world: World { provider.world }

    /// Sets up a tenant with so many devices and entities, synced into the inventory, and starts the consumers.
    static func with<R>(
        devices: Int = 25, entities: JSONObject = [:], consumers: Int = 2, writesPerSecond: Int = 10_000,
        isolation: isolated (any Actor)? = #isolation, _ body: (BulkStage) async throws -> R
    ) async throws -> R {
        try await ProviderStage.with(
            devices: devices, roles: roles, tenant: ["entities": .object(entities), "deviceSeed": deviceSeed]
        ) { provider in
            _ = try await provider.database.pool.query(
                """
                UPDATE tenants SET write_gate_open = true, write_gate_healthy = true,
                                   write_gate_checked_at = clock_timestamp()
                """)
            try await sync(provider)
            let stage = try BulkStage(
                provider, try await VirtualHost.make(), ["WRITES_PER_SECOND": "\(writesPerSecond)"])
            for _ in 0..<consumers { try stage.launch() }
            let result: Result<R, any Error>
            do { result = .success(try await body(stage)) } catch { result = .failure(error) }
            await stage.stop()
            return try result.get()
        }
    }

    /// Reads the tenant into the inventory, as `inventory.sync` does.
    static func sync(_ provider: ProviderStage) async throws {
        let permit = try await provider.run(.inventorySync)
        let pool = provider.database.pool
        _ = try await InventorySync(
            gateway: provider.gateway, ledger: provider.ledger, devices: DeviceInventory(pool: pool),
            policies: PolicyInventory(pool: pool), groups: DirectoryGroups(pool: pool)
        ).execute(permit)
        _ = try await pool.query(
            """
            UPDATE runs SET state = 'completed', outcome = 'succeeded', completed_at = clock_timestamp(),
                            worker_id = NULL
            WHERE id = $1::uuid
            """, [.uuid(permit.execution.runID.uuid)])
    }

    private init(
        _ provider: ProviderStage, _ virtualHost: VirtualHost, _ environment: [String: String]
    ) throws {
        self.provider = provider
        self.virtualHost = virtualHost
        self.environment = environment
        let pool = provider.database.pool
        let publisher = Publisher(
            address: try BrokerAddress(url: virtualHost.url), topology: JobTopology.starter,
            name: "test-starter", logger: TestDatabase.quiet)
        let relay = OutboxRelay(
            store: OutboxStore(pool: pool, leaseSeconds: 5), publisher: publisher,
            routes: OutboxRelay.allRoutes, logger: TestDatabase.quiet)
        let maintenance = Maintenance(
            repair: RunRepair(pool: pool, outboxLeaseSeconds: 5), reminderSeconds: 10,
            publish: relay.publish, figures: RepairFigures(Metrics()), logger: TestDatabase.quiet)
        self.publisher = publisher
        self.relay = relay
        tasks = [
            Task { await publisher.run() }, Task { await relay.run() }, Task { await maintenance.run() },
        ]
    }

    /// Starts one consumer more.
    func launch() throws {
        let folder =
            ProcessInfo.processInfo.environment["BIN"].map { URL(filePath: $0) }
            ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let process = Process()
        process.executableURL = folder.appending(path: "BulkConsumer")
        process.environment = environment.merging([
            "DATABASE_URL": provider.database.url, "AMQP_URL": virtualHost.url,
            "CREDENTIAL_PRIVATE_KEY": provider.privateKey.text, "GRAPH_SANDBOX_URL": provider.sandbox.base,
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0", "WORKER_LEASE_SECONDS": "1", "CALL_SECONDS": "3",
            "LOG_LEVEL": "error",
        ]) { mine, _ in mine }
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        processes.append(process)
    }

    /// Kill -9 of one consumer, and another in its place.
    func killOne() throws {
        let victim = processes.remove(at: Int.random(in: processes.indices))
        kill(victim.processIdentifier, SIGKILL)
        try launch()
    }

    private func stop() async {
        for process in processes {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        for task in tasks.dropFirst() {
            task.cancel()
            await task.value
        }
        tasks[0].cancel()
        await publisher.close()
        await virtualHost.remove()
    }

    // MARK: runs

    /// Starts a run as the manager (or the owner), through the start gate.
    func start(
        _ type: OperationType, _ parameters: JSON, connection: ConnectionID? = nil, by role: Role = .manager
    ) async throws -> RunID {
        let starts = StartService(
            pool: pool, families: [.bulk], outboxLeaseSeconds: 5, makeID: UUID.timeOrdered)
        let answer = try await starts.start(
            StartRequest(
                operation: type.rawValue, connectionID: connection ?? world.connection,
                parameters: parameters, initiatorID: world.people[role]!, origin: .person))
        guard case .accepted(let run, let message) = answer else {
            throw NotInTime(description: "the start was not accepted: \(answer)")
        }
        relay.publish([message])
        return run.execution.runID
    }

    /// How a run ended.
    struct Ended: Sendable {
        let outcome: String
        let reason: String?
        let counts: JSON

        subscript(_ name: String) -> Int { counts[name]?.integer ?? 0 }
    }

    func ended(_ run: RunID) async throws -> Ended {
        try await eventually("the run ends") {
            let row = try await pool.query(
                "SELECT outcome, reason_code, counts::text FROM runs WHERE id = $1::uuid", [.uuid(run.uuid)])[
                    0]
            guard let outcome = try row.textOrNil(0) else { return nil }
            return Ended(
                outcome: outcome, reason: try row.textOrNil(1), counts: try JSON(parsing: row.text(2)))
        }
    }

    /// Waits until a run is done with so many items; what it is at then. -1 when it has ended before.
    @discardableResult
    func reached(_ count: Int, _ run: RunID) async throws -> Int {
        try await eventually("the run gets on") { () -> Int? in
            let row = try await pool.query(
                """
                SELECT r.completed_at IS NOT NULL, coalesce(p.done, 0)
                FROM runs r LEFT JOIN run_progress p ON p.run_id = r.id WHERE r.id = $1::uuid
                """, [.uuid(run.uuid)])[0]
            if try row.bool(0) { return -1 }
            return try row.int(1) >= count ? try row.int(1) : nil
        }
    }

    /// The ledger of a run: how many items are in each state.
    func items(_ run: RunID) async throws -> [String: Int] {
        let rows = try await pool.query(
            "SELECT state, count(*) FROM run_items WHERE run_id = $1::uuid GROUP BY state", [.uuid(run.uuid)])
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.text(0), try $0.int(1)) })
    }

    func count(_ statement: Statement) async throws -> Int { try await pool.query(statement)[0].int(0) }

    // MARK: the sandbox

    /// What was changed at the provider since the journal's entry `since`: the ids of the objects.
    func changes(since: Int, tenant: String? = nil) async throws -> [String] {
        let journal = try await provider.sandbox.control(
            "GET",
            "/journal?limit=100000&writes=true&since=\(since)&tenant=\(tenant ?? provider.entraTenant)")
        return (journal["entries"]?.array ?? []).compactMap { $0["objectId"]?.string }
    }

    /// All calls to the provider but for tokens, since an entry of the journal.
    func calls(since: Int) async throws -> Int {
        let journal = try await provider.sandbox.control(
            "GET", "/journal?limit=100000&since=\(since)&tenant=\(provider.entraTenant)")
        return journal["entries"]?.array?.count ?? 0
    }

    /// The journal's last entry.
    func journalEnd() async throws -> Int {
        try await provider.sandbox.control("GET", "/journal?limit=0")["last"]?.integer ?? 0
    }

    @discardableResult
    func entities(_ method: String, _ path: String = "", _ body: JSON? = nil) async throws -> JSON {
        try await provider.entities(method, path, body)
    }

    /// A group that no seeded policy is assigned to.
    func newGroup() async throws -> String {
        let group = try await entities("POST", "/groups", ["displayName": "New ring"])
        return try #require(group["id"]?.string)
    }

    /// A bulk assignment of a group to all configurations.
    func assignment(to group: String) -> JSON {
        [
            "kind": "device_configuration", "filter": ["all": true],
            "assignment": ["target": "group", "group_id": .string(group)],
        ]
    }

    // MARK: authority

    func revoke(_ role: Role = .manager) async throws -> BarrierAnswer {
        try await AuthorityChanges(pool: pool, makeID: UUID.timeOrdered).apply(
            .revokeMembership(user: world.people[role]!, tenant: nil), in: world.workspace,
            by: .user(world.owner))
    }

    func grant(_ role: Role = .manager) async throws {
        _ = try await AuthorityChanges(pool: pool, makeID: UUID.timeOrdered).grant(
            user: world.people[role]!, tenant: nil, role: role, in: world.workspace, by: .user(world.owner))
    }
}

extension BulkStage {
    /// A second tenant that has the first one's devices, as many as there are, in sandbox and inventory, and an open write
    /// gate. Its connection, and its directory.
    func addTenant() async throws -> (ConnectionID, String) {
        let (tenant, connection) = (UUID(), UUID())
        let (entra, client) = (UUID().uuidString.lowercased(), UUID().uuidString.lowercased())
        try await provider.sandbox.control(
            "POST", "/tenants",
            [
                "id": .string(entra), "devices": .int(count("SELECT count(*) FROM inventory_devices")),
                "deviceSeed": Self.deviceSeed,
                "app": [
                    "clientId": .string(client), "clientSecret": .string(ProviderStage.secret),
                    "roles": .array(Self.roles),
                ],
            ])
        _ = try await pool.pipeline([
            (
                """
                INSERT INTO tenants (id, workspace_id, name, write_gate_open, write_gate_healthy,
                                     write_gate_checked_at)
                VALUES ($1::uuid, $2::uuid, 'Second', true, true, clock_timestamp())
                """, [.uuid(tenant), .uuid(world.workspace.uuid)]
            ),
            (
                """
                INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, cloud,
                                                  entra_tenant_id, entra_tenant_name, client_id, is_default)
                VALUES ($1::uuid, $2::uuid, $3::uuid, 'Second', 'sandbox', $4, 'Second', $5, true)
                """,
                [
                    .uuid(connection), .uuid(world.workspace.uuid), .uuid(tenant), .text(entra),
                    .text(client),
                ]
            ),
        ])
        try await CredentialSample.set(
            JSON.object(["client_secret": .string(ProviderStage.secret)]).bytes,
            key: provider.privateKey.publicKey, on: ConnectionID(connection), of: TenantID(tenant),
            in: world.workspace, by: world.owner, pool)
        _ = try await pool.query(
            """
            INSERT INTO inventory_devices (tenant_id, connection_id, device_id, seen_run, changed_run)
            SELECT $1::uuid, $2::uuid, device_id, seen_run, changed_run FROM inventory_devices
            """, [.uuid(tenant), .uuid(connection)])
        return (ConnectionID(connection), entra)
    }
}
