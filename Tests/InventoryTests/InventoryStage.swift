import Curl
import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import InventoryConsumer

/// The handlers of the family on a stage, and what they wrote down.
extension ProviderStage {
    /// The permissions that reading everything needs.
    static let allReaders: [JSON] =
        readers + [
            "DeviceManagementRBAC.Read.All", "DeviceManagementScripts.Read.All", "Policy.Read.All",
            "Group.Read.All",
        ]

    /// Few documents of each set, so that a sync takes few calls.
    static let fewEntities: JSONObject = [
        "entities": [
            "deviceConfigurations": 6, "deviceCompliancePolicies": 3, "configurationPolicies": 3,
            "deviceManagementScripts": 2, "assignmentFilters": 2, "roleScopeTags": 2, "mobileApps": 2,
            "iosManagedAppProtections": 1, "androidManagedAppProtections": 1,
            "conditionalAccessPolicies": 2, "groups": .int(fewGroups),
        ]
    ]
    /// How many policies these are.
    static let fewCount = 24
    static let fewGroups = 12

    /// Where the lists of the sandbox are that are backed up.
    static let sets: [PolicyKind: String] = [
        .deviceConfiguration: "deviceConfigurations", .compliancePolicy: "deviceCompliancePolicies",
        .settingsCatalogPolicy: "configurationPolicies", .deviceScript: "deviceManagementScripts",
        .assignmentFilter: "assignmentFilters", .scopeTag: "roleScopeTags", .mobileApp: "mobileApps",
        .iosAppProtection: "iosManagedAppProtections", .androidAppProtection: "androidManagedAppProtections",
        .conditionalAccessPolicy: "conditionalAccessPolicies",
    ]

    static func few<R>(
        devices: Int = 25, roles: [JSON] = allReaders, isolation: isolated (any Actor)? = #isolation,
        _ body: (ProviderStage) async throws -> R
    ) async throws -> R {
        try await with(devices: devices, roles: roles, tenant: fewEntities, body)
    }

    func execute(_ permit: ExecutionPermit) async throws -> ExecutionResult {
        let pool = database.pool
        switch permit.definition.type {
        case .inventorySync:
            return try await InventorySync(
                gateway: gateway, ledger: ledger, devices: DeviceInventory(pool: pool),
                policies: PolicyInventory(pool: pool), groups: DirectoryGroups(pool: pool)
            ).execute(permit)
        case .policySync:
            return try await PolicySync(
                gateway: gateway, ledger: ledger, policies: PolicyInventory(pool: pool)
            ).execute(permit)
        default:
            return try await BackupRun(gateway: gateway, ledger: ledger, backups: BackupSets(pool: pool))
                .execute(permit)
        }
    }

    /// Executes a run that is to go through, ends it, and gives its counts.
    @discardableResult
    func complete(_ type: OperationType, _ parameters: JSON? = nil) async throws -> SummaryCounts {
        let permit = try await run(type, parameters)
        let result = try await execute(permit)
        try await end(permit)
        guard case .completed(let counts) = result else {
            Issue.record("\(result)")
            return result.counts
        }
        return counts
    }

    /// A number from the database.
    func count(_ statement: Statement) async throws -> Int {
        try await database.pool.query(statement)[0].int(0)
    }

    func listCalls(_ path: String) async throws -> Int {
        try await sandbox.calls(tenant: entraTenant).filter { $0.path == path }.count
    }
}

/// What the tests ask the database and the sandbox for.
extension ProviderStage {
    /// The document of a policy's latest version.
    func document(_ kind: PolicyKind, _ id: String) async throws -> JSONObject? {
        try await database.pool.query(
            """
            SELECT c.content FROM inventory_policies p
            JOIN policy_contents c ON c.tenant_id = p.tenant_id AND c.hash = p.content_hash
            WHERE p.kind = $1 AND p.policy_id = $2
            """, [.text(kind.rawValue), .text(id)]
        ).first.flatMap { try JSON(parsing: $0.bytes(0)).object }
    }

    /// The ids of a set at the sandbox.
    func ids(_ set: String) async throws -> [String] {
        (try await entities("GET", "/\(set)")["value"]?.array ?? []).compactMap { $0["id"]?.string }
    }

    /// A token of the tenant's application with more permissions, for what others do to the tenant.
    func token(roles: [JSON]) async throws -> String {
        let tenant = try await sandbox.control("GET", "/tenants/\(entraTenant)")
        let client = try #require(tenant["app"]?["clientId"]?.string)
        try await sandbox.control(
            "PUT", "/tenants/\(entraTenant)", ["app": ["roles": .array(Self.allReaders + roles)]])
        let form =
            "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_id=\(client)"
            + "&client_secret=canary~S3cret.1%2B2%2F3%3D4%265%256"
        let answer = try await send(
            HTTPRequest(
                method: "POST", url: "\(sandbox.base)/\(entraTenant)/oauth2/v2.0/token",
                headers: [("Content-Type", "application/x-www-form-urlencoded")], body: Array(form.utf8)))
        return try #require(answer.body["access_token"]?.string)
    }

    /// One request to the tenant, as somebody else makes it.
    func graph(
        _ method: String, _ path: String, _ token: String, _ body: JSON? = nil
    ) async throws -> (status: Int, body: JSON) {
        try await send(
            HTTPRequest(
                method: method, url: sandbox.base + path,
                headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")],
                body: body?.bytes))
    }

    private func send(_ request: HTTPRequest) async throws -> (status: Int, body: JSON) {
        let http = CurlClient(userAgent: "test")
        let result: Result<HTTPResponse, any Error>
        do { result = .success(try await http.perform(request)) } catch { result = .failure(error) }
        await http.close()
        let response = try result.get()
        return (response.status, response.body.isEmpty ? .null : try JSON(parsing: response.body))
    }
}
