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
        ]

    /// Few documents of each set, so that a sync takes few calls.
    static let fewEntities: JSONObject = [
        "entities": [
            "deviceConfigurations": 6, "deviceCompliancePolicies": 3, "configurationPolicies": 3,
            "deviceManagementScripts": 2, "assignmentFilters": 2, "roleScopeTags": 2, "mobileApps": 2,
            "iosManagedAppProtections": 1, "androidManagedAppProtections": 1,
            "conditionalAccessPolicies": 2, "groups": 12,
        ]
    ]
    static let fewCount = 24

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
                policies: PolicyInventory(pool: pool)
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

    /// Ends a run, so that the next one may be active.
    func end(_ permit: ExecutionPermit) async throws {
        _ = try await database.pool.query(
            """
            UPDATE runs SET state = 'completed', outcome = 'succeeded', completed_at = clock_timestamp(),
                            worker_id = NULL
            WHERE id = $1::uuid
            """, [.uuid(permit.execution.runID.uuid)])
    }

    /// The control surface's view of this stage's tenant.
    @discardableResult
    func entities(_ method: String, _ path: String = "", _ body: JSON? = nil) async throws -> JSON {
        try await sandbox.control(method, "/tenants/\(entraTenant)/entities\(path)", body)
    }

    /// A number from the database.
    func count(_ statement: Statement) async throws -> Int {
        try await database.pool.query(statement)[0].int(0)
    }

    func listCalls(_ path: String) async throws -> Int {
        try await sandbox.calls(tenant: entraTenant).filter { $0.path == path }.count
    }
}
