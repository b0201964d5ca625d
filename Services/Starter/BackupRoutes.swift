import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import ServiceKit
import Store

/// Looking at backup sets, and at what is in them.
struct BackupRoutes: Sendable {
    let backups: BackupReading
    let access: AccessReading

    func list(_ tenant: TenantID, _ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let limit = parameters.pageLimit()
        let before = parameters.cursor(of: .backups)
        try parameters.finish()
        try await Access(of: call.caller, at: .tenant(tenant), access).require(.providerView)
        let page = try await backups.sets(of: [tenant], before: before.map(RunID.init), limit: limit)
        return .page(
            "backups", page, json: { .object($0.members) }, cursor: { Cursor(.backups, after: $0.id.uuid) },
            of: call)
    }

    /// The set, and a page of its items.
    func show(_ id: RunID, _ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let limit = parameters.pageLimit()
        let after = parameters.cursor(of: .backupItems)
        try parameters.finish()
        try await Access(of: call.caller, at: .backup(id), access).require(.providerView)
        guard let set = try await backups.set(id) else { throw Problem.notFound }
        let page = try await backups.items(of: id, in: set.tenant.id, after: after, limit: limit)
        return .page(
            "items", page, json: \.json, cursor: { Cursor(.backupItems, after: $0.id) }, of: call,
            beside: set.members)
    }
}

extension BackupSummary {
    fileprivate var members: JSONObject {
        [
            "backup_id": .string("\(id)"), "run_href": .string(RunAddress.path(of: id)),
            "tenant": tenant.json,
            "provider_connection": [
                "id": .string("\(connection.id)"), "display_name": .string(connection.name),
            ],
            "kinds": .array(kinds.map { .string($0.rawValue) }), "item_count": .int(items),
            "started_at": Timestamp.json(startedAt), "completed_at": completedAt.json,
            "content_hash": .optional(contentHash.map(Hex.text)),
        ]
    }
}

extension BackupItem {
    fileprivate var json: JSON {
        [
            "item_id": .string(id.uuidString.lowercased()), "kind": .string(kind.rawValue),
            "policy_id": .string(policyID), "name": .optional(name), "type": .optional(type),
            "version_id": .string(Hex.text(version)), "masked_secrets": .int(secrets),
        ]
    }
}
