package import CredentialFixtures
internal import Credentials
internal import Curl
package import Fixtures
internal import FoundationEssentials
package import Graph
package import JSON
internal import Logging
package import Operations
internal import Postgres
package import Sealing
package import Store

/// So many stages at once: each has a sandbox and a database, and some tests measure time.
private actor StagePlaces {
    static let shared = StagePlaces()

    private var free = 6
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    func giveBack() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// Everything between a permit and the sandbox: a database, a connection with a sealed credential, a worker with
/// a lease, and the gateway.
package struct ProviderStage: Sendable {
    package static let secret = "canary~S3cret.1+2/3=4&5%6"
    package static let readers: [JSON] = [
        "Application.Read.All", "DeviceManagementApps.Read.All", "DeviceManagementConfiguration.Read.All",
        "DeviceManagementManagedDevices.Read.All", "Organization.Read.All",
    ]

    package let database: TestDatabase
    package let sandbox: SandboxProcess
    package let world: World
    package let gateway: GraphGateway
    package let connections: ProviderConnections
    package let ledger: Ledger
    package let privateKey: SealingPrivateKey
    /// The directory in the sandbox that the connection points to.
    package let entraTenant: String
    /// Everything that the gateway logged.
    package let log: LogCapture
    private let worker: UUID

    /// Sets everything up, runs `body`, and takes it down. `tenant` is what the sandbox's tenant is made of.
    package static func with<R>(
        devices: Int = 25, roles: [JSON] = ProviderStage.readers, tenant more: JSONObject = [:],
        limits: GraphGateway.Limits = .init(), isolation: isolated (any Actor)? = #isolation,
        _ body: (ProviderStage) async throws -> R
    ) async throws -> R {
        await StagePlaces.shared.take()
        let http = CurlClient(userAgent: "GraphTests")
        let result = await Result {
            try await SandboxProcess.with(http) { sandbox in
                try await TestDatabase.with { database in
                    let entraTenant = UUID().uuidString.lowercased()
                    let clientID = UUID().uuidString.lowercased()
                    var tenant: JSONObject = [
                        "id": .string(entraTenant), "devices": .int(devices),
                        "app": [
                            "clientId": .string(clientID), "clientSecret": .string(secret),
                            "roles": .array(roles),
                        ],
                    ]
                    for (key, value) in more.members { tenant[key] = value }
                    try await sandbox.control("POST", "/tenants", .object(tenant))
                    let stage = try await ProviderStage(
                        database, sandbox, http, entraTenant: entraTenant, clientID: clientID, limits)
                    return try await body(stage)
                }
            }
        }
        await http.close()
        await StagePlaces.shared.giveBack()
        return try result.get()
    }

    private init(
        _ database: TestDatabase, _ sandbox: SandboxProcess, _ http: CurlClient, entraTenant: String,
        clientID: String, _ limits: GraphGateway.Limits
    ) async throws {
        self.database = database
        self.sandbox = sandbox
        self.entraTenant = entraTenant
        world = try await World.make(in: database.pool)
        connections = ProviderConnections(pool: database.pool)
        ledger = Ledger(pool: database.pool)
        worker = UUID()
        privateKey = SealingPrivateKey()
        log = LogCapture()
        let random: @Sendable () -> Double = { 0 }
        gateway = GraphGateway(
            http: http,
            permits: CallPermits(
                pool: database.pool, worker: worker, clock: DatabaseClock(), makeID: { UUID() }),
            connections: connections, opener: Opener(privateKeys: [privateKey]),
            sandbox: Origin(url: sandbox.base), limits: limits, logger: log.logger, random: random)
        _ = try await database.pool.query(
            "UPDATE provider_connections SET entra_tenant_id = $2, client_id = $3 WHERE id = $1::uuid",
            [.uuid(world.connection.uuid), .text(entraTenant), .text(clientID)])
        try await Workers(pool: database.pool, leaseSeconds: 600).register(worker, service: "test")
        try await setSecret(Self.secret)
    }

    /// Sets the connection's client secret, as a person does.
    package func setSecret(_ secret: String) async throws {
        try await setPayload(JSON.object(["client_secret": .string(secret)]).bytes)
    }

    /// Seals a payload as the connection's credential.
    package func setPayload(_ payload: [UInt8], key: SealingPublicKey? = nil) async throws {
        try await CredentialSample.set(
            payload, key: key ?? privateKey.publicKey, on: world.connection, of: world.tenant,
            in: world.workspace, by: world.owner, database.pool)
    }

    /// Sets a certificate as the connection's credential, and registers it at the sandbox in place of others.
    package func setCertificate(_ sample: SampleCertificate) async throws {
        try await sandbox.control(
            "PUT", "/tenants/\(entraTenant)", ["app": ["certificates": [.string(sample.certificate)]]])
        let accepted = try CertificateCredential.accept(
            certificates: sample.certificate, privateKey: Secret(Array(sample.privateKey.utf8)), now: Date())
        try await CredentialSample.set(
            .certificate(accepted.credential), key: privateKey.publicKey, on: world.connection,
            of: world.tenant, in: world.workspace, by: world.owner, database.pool)
    }

    // MARK: runs

    /// Who may start an operation: the operator where the role holds it, else the owner.
    package func initiator(of type: OperationType) -> (user: UserID, role: Role) {
        let capability = OperationCatalogue.definition(type).capability
        return Role.operator.holds(capability) ? (world.operator, .operator) : (world.owner, .owner)
    }

    /// Opens the tenant's write gate, and has the connection's check found good; or closes it.
    package func setWriteGate(isOpen: Bool) async throws {
        _ = try await database.pool.query(
            """
            UPDATE tenants SET write_gate_open = $2::bool, write_gate_healthy = true,
                               write_gate_checked_at = clock_timestamp()
            WHERE id = $1::uuid
            """, [.uuid(world.tenant.uuid), .bool(isOpen)])
    }

    /// A run that this worker executes, at its first attempt. `entraTenant` points the connection elsewhere before.
    package func run(
        _ type: OperationType, _ parameters: JSON? = nil, entraTenant: String? = nil
    ) async throws -> ExecutionPermit {
        let entraTenant = entraTenant ?? self.entraTenant
        _ = try await database.pool.query(
            "UPDATE provider_connections SET entra_tenant_id = $2 WHERE id = $1::uuid",
            [.uuid(world.connection.uuid), .text(entraTenant)])
        var execution = try await execution(type, entraTenant)
        execution.parameters = parameters
        let permit = try permit(for: execution, attempt: 1)
        let run = permit.execution
        _ = try await database.pool.query(
            """
            INSERT INTO runs (id, workspace_id, tenant_id, connection_id, operation, state, attempt, worker_id,
                              initiator_id, context, queued_at, expires_at, started_at)
            VALUES ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5, 'running', 1, $6::uuid, $7::uuid, $8::jsonb,
                    clock_timestamp(), clock_timestamp() + interval '1 day', clock_timestamp())
            """,
            [
                .uuid(run.runID.uuid), .uuid(run.workspaceID.uuid), .uuid(run.tenantID.uuid),
                .uuid(run.connectionID.uuid), .text(run.operation), .uuid(worker),
                .uuid(run.initiatorID!.uuid),
                .json(run.context!.json(module: permit.definition.family.rawValue).text),
            ])
        return permit
    }

    /// The next attempt of the same run, as after a repair.
    package func nextAttempt(of permit: ExecutionPermit) async throws -> ExecutionPermit {
        _ = try await database.pool.query(
            "UPDATE runs SET attempt = attempt + 1 WHERE id = $1::uuid",
            [.uuid(permit.execution.runID.uuid)])
        return try self.permit(for: permit.execution, attempt: permit.attempt + 1)
    }

    private func execution(_ type: OperationType, _ entraTenant: String) async throws -> QueuedExecution {
        let user = initiator(of: type).user
        let grant = try await database.pool.query(
            "SELECT id FROM memberships WHERE user_id = $1::uuid", [.uuid(user.uuid)]
        )[0].uuid("id")
        return QueuedExecution(
            runID: RunID(UUID()), operation: type.rawValue, workspaceID: world.workspace,
            tenantID: world.tenant, connectionID: world.connection, initiatorID: user,
            expiresAt: Date().addingTimeInterval(86_400),
            context: QueuedExecutionContext(
                authorityMode: .actorBound, origin: .person,
                requiredCapability: OperationCatalogue.definition(type).capability, grantID: GrantID(grant),
                freezeGeneration: 0, workspaceID: world.workspace, tenantID: world.tenant,
                connectionID: world.connection, entraTenantID: entraTenant, entraTenantName: "Tenant"))
    }

    /// Asks the gate with facts that allow everything: what the database says counts at each call.
    private func permit(for run: QueuedExecution, attempt: Int) throws -> ExecutionPermit {
        let type = OperationType(rawValue: run.operation)!
        let gate = AuthorityFacts.WriteGate(
            isOpen: true, checkedAt: Date(), isHealthy: true, limitSeconds: 86_400)
        let facts = AuthorityFacts(
            initiator: .found(.init(isDisabled: false)),
            entitlement: .found(.init(grantID: run.context!.grantID!, role: initiator(of: type).role)),
            tenant: .found(
                .init(
                    workspaceID: run.workspaceID, operability: .operable, authorityEpoch: 1,
                    freezeGeneration: 0, writeGate: gate)),
            connection: .found(
                .init(
                    tenantID: run.tenantID, isEnabled: true, entraTenantID: run.context!.entraTenantID,
                    hasCredential: true)),
            readAt: Date())
        guard case .allowed(let permit, _) = LegitimacyGate.rule(on: run, attempt: attempt, facts: facts)
        else {
            throw SandboxProcess.NotStarted(description: "the gate refuses the test's run")
        }
        return permit
    }

    // MARK: what was written down

    /// A call permit's row.
    package struct PermitRow: Sendable, Hashable {
        package let id: String
        package let call: String
        package let isClosed: Bool
        package let status: Int?
    }

    package func permits() async throws -> [PermitRow] {
        try await database.pool.query(
            """
            SELECT id, call, closed_at IS NOT NULL AS is_closed, http_status
            FROM call_permits ORDER BY opened_at
            """
        ).map { row in
            PermitRow(
                id: try row.uuid("id").uuidString.lowercased(), call: try row.text("call"),
                isClosed: try row.bool("is_closed"), status: try row.intOrNil("http_status"))
        }
    }

    /// The ledger of a run: state and result by key, as `applied ok`.
    package func items(of permit: ExecutionPermit) async throws -> [String: String] {
        let rows = try await database.pool.query(
            "SELECT item_key, state, result FROM run_items WHERE run_id = $1::uuid",
            [.uuid(permit.execution.runID.uuid)])
        return Dictionary(
            uniqueKeysWithValues: try rows.map {
                (try $0.text("item_key"), "\(try $0.text("state")) \(try $0.textOrNil("result") ?? "")")
            })
    }

    /// The connection's health and reason, and whether the write gate's check was good (nil: never checked).
    package func health() async throws -> (health: String, reason: String?, gate: Bool?) {
        let row = try await database.pool.query(
            """
            SELECT c.health, c.health_reason, t.write_gate_healthy, t.write_gate_checked_at
            FROM provider_connections c JOIN tenants t ON t.id = c.tenant_id WHERE c.id = $1::uuid
            """, [.uuid(world.connection.uuid)])[0]
        let isChecked = try row.dateOrNil("write_gate_checked_at") != nil
        return (
            try row.text("health"), try row.textOrNil("health_reason"),
            isChecked ? try row.bool("write_gate_healthy") : nil
        )
    }
}

extension ProviderStage {
    /// Ends a run, so that the next one may be active.
    package func end(_ permit: ExecutionPermit) async throws {
        _ = try await database.pool.query(
            """
            UPDATE runs SET state = 'completed', outcome = 'succeeded', completed_at = clock_timestamp(),
                            worker_id = NULL
            WHERE id = $1::uuid
            """, [.uuid(permit.execution.runID.uuid)])
    }

    /// The control surface's view of the stage's policies, groups and filters.
    @discardableResult
    package func entities(_ method: String, _ path: String = "", _ body: JSON? = nil) async throws -> JSON {
        try await sandbox.control(method, "/tenants/\(entraTenant)/entities\(path)", body)
    }
}

extension Result where Failure == any Error {
    fileprivate init(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Success) async
    {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
