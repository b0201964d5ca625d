import Waiting
import Fixtures
import FoundationEssentials
import Graph
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import InventoryConsumer
@testable import RestoreConsumer

/// Backups and restores on a stage, and what they left.
extension ProviderStage {
    /// The permissions that reading and writing everything needs.
    static let writers: [JSON] = [
        "DeviceManagementApps.ReadWrite.All", "DeviceManagementConfiguration.ReadWrite.All",
        "DeviceManagementRBAC.ReadWrite.All", "DeviceManagementScripts.ReadWrite.All", "Group.Read.All",
        "Organization.Read.All", "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess",
    ]

    static let entitySets: [PolicyKind: String] = [
        .deviceConfiguration: "deviceConfigurations", .compliancePolicy: "deviceCompliancePolicies",
        .settingsCatalogPolicy: "configurationPolicies", .deviceScript: "deviceManagementScripts",
        .assignmentFilter: "assignmentFilters", .scopeTag: "roleScopeTags", .mobileApp: "mobileApps",
        .iosAppProtection: "iosManagedAppProtections", .androidAppProtection: "androidManagedAppProtections",
        .conditionalAccessPolicy: "conditionalAccessPolicies",
    ]

    /// Calls that end soon, so that what is in doubt is settled soon.
    static let shortCalls = GraphGateway.Limits(call: .seconds(2), token: .seconds(2))

    static func writable<R>(
        _ entities: JSONObject = [:], statuses: String = "documented", limits: GraphGateway.Limits = .init(),
        isolation: isolated (any Actor)? = #isolation, _ body: (ProviderStage) async throws -> R
    ) async throws -> R {
        var counts: JSONObject = [
            "deviceConfigurations": 10, "deviceCompliancePolicies": 4, "configurationPolicies": 4,
            "deviceManagementScripts": 3, "assignmentFilters": 3, "roleScopeTags": 3, "mobileApps": 2,
            "iosManagedAppProtections": 2, "androidManagedAppProtections": 1,
            "conditionalAccessPolicies": 4, "groups": 12,
        ]
        for (set, count) in entities.members { counts[set] = count }
        return try await with(
            devices: 1, roles: writers, tenant: ["entities": .object(counts), "statuses": .string(statuses)],
            limits: limits
        ) { stage in
            try await stage.setWriteGate(isOpen: true)
            return try await body(stage)
        }
    }

    // MARK: runs

    /// A backup of everything: its items with their documents.
    func backUp() async throws -> (id: RunID, documents: [BackupDocument]) {
        let permit = try await run(.backupRun)
        let result = try await BackupRun(
            gateway: gateway, ledger: ledger, backups: BackupSets(pool: database.pool)
        ).execute(permit)
        try await end(permit)
        guard case .completed = result else { throw NotInTime(description: "the backup: \(result)") }
        let id = permit.execution.runID
        let reading = BackupReading(pool: database.pool)
        var documents: [BackupDocument] = []
        var after: UUID?
        while true {
            let page = try await reading.items(of: id, in: world.tenant, after: after, limit: 25)
            documents += try await reading.documents(page.entries.map(\.id), of: id, in: world.tenant)
            after = page.entries.last?.id
            if !page.hasMore { return (id, documents) }
        }
    }

    static func parameters(
        _ backup: RunID, _ items: [BackupDocument]?, _ mode: RestoreParameters.Mode = .execute,
        assignments: RestoreParameters.Assignments? = nil
    ) -> JSON {
        var json: JSONObject = [
            "backup_id": .string("\(backup)"), "mode": .string(mode.rawValue),
            "items": items.map { .array($0.map { .string($0.item.key) }) } ?? "all",
        ]
        if let assignments { json["assignments"] = .string(assignments.rawValue) }
        return .object(json)
    }

    func execute(
        _ permit: ExecutionPermit, listLag: Duration = .seconds(1)
    ) async throws -> ExecutionResult {
        try await RestoreRun(
            gateway: gateway, ledger: ledger, backups: BackupReading(pool: database.pool), listLag: listLag
        ).execute(permit)
    }

    /// One restore from its start to its end: the result, and its items by key.
    func restore(
        _ backup: RunID, _ items: [BackupDocument]?, _ mode: RestoreParameters.Mode = .execute,
        _ type: OperationType = .restoreExecute, assignments: RestoreParameters.Assignments? = nil
    ) async throws -> (result: ExecutionResult, items: [String: Ledger.Item]) {
        let permit = try await run(type, Self.parameters(backup, items, mode, assignments: assignments))
        let result = try await execute(permit)
        let rows = try await rows(of: permit)
        try await end(permit)
        return (result, rows)
    }

    func rows(of permit: ExecutionPermit) async throws -> [String: Ledger.Item] {
        let rows = try await ledger.items(of: permit.execution.runID, limit: 5_000)
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.item.key, $0.item) })
    }

    // MARK: the sandbox

    /// Everything that the tenant has, by set and id; what only counts or dates changes is left out.
    func tenantState() async throws -> [String: JSON] {
        var state: [String: JSON] = [:]
        for (set, list) in try await entities("GET").object?.members ?? [] {
            for entity in list.array ?? [] {
                var object = entity.object!
                for name in ["version", "lastModifiedDateTime", "modifiedDateTime"] { object[name] = nil }
                state["\(set)/\(entity["id"]?.string ?? "")"] = .object(object)
            }
        }
        return state
    }

    /// A change that was committed, as the journal has it.
    struct Write: Sendable, Hashable {
        let set: String
        let id: String
        let change: String
        let path: String

        /// The object that was written.
        var object: String { "\(set)/\(id)" }
    }

    /// What was written since the journal was last cleared.
    func writes() async throws -> [Write] {
        let journal = try await sandbox.control(
            "GET", "/journal?writes=true&limit=100000&tenant=\(entraTenant)")
        return (journal["entries"]?.array ?? []).compactMap { entry in
            guard let change = entry["change"]?.string else { return nil }
            return Write(
                set: entry["objectSet"]?.string ?? "", id: entry["objectId"]?.string ?? "", change: change,
                path: entry["path"]?.string ?? "")
        }
    }

    /// Empties the journal.
    func clearJournal() async throws { try await sandbox.control("DELETE", "/journal") }

    func path(of document: BackupDocument) -> String {
        "/\(Self.entitySets[document.item.kind]!)/\(document.item.policyID)"
    }

    func delete(_ document: BackupDocument) async throws { try await entities("DELETE", path(of: document)) }

    func change(_ document: BackupDocument, _ change: JSON) async throws {
        try await entities("PATCH", path(of: document), change)
    }
}

extension Array where Element == BackupDocument {
    /// The documents of a kind, in the order of the tenant's ids.
    func of(_ kind: PolicyKind) -> [BackupDocument] { filter { $0.item.kind == kind } }
}

extension ExecutionResult {
    /// The counts that are not zero.
    var counted: [SummaryCounts.Key: Int] {
        let keys = SummaryCounts.Key.allCases.filter { counts[$0] > 0 }
        return Dictionary(uniqueKeysWithValues: keys.map { ($0, counts[$0]) })
    }

    var isCompleted: Bool { if case .completed = self { true } else { false } }
}
