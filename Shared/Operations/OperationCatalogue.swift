/// Everything the system knows about one operation type.
package struct OperationDefinition: Sendable {
    /// Its canonical name.
    package let type: OperationType
    /// What people read.
    package let label: String
    /// Who executes it.
    package let family: OperationFamily
    /// What the initiator must be able to do, at the start, at execution and at every call.
    package let capability: Capability
    /// Whether it changes the tenant.
    package let effect: OperationEffect
    /// Whether a schedule may start it without a person behind it.
    package let systemMayRun: Bool
    /// How long it may stay queued or waiting before it ends blocked (`run_expired`), in seconds.
    package let queueLimitSeconds: Int
    /// How failed attempts come back. Refused ones follow ``RetryPolicy/refusals``.
    package let retry: RetryPolicy
    /// The summary counts that its runs may report, beside the general ones.
    package let countKeys: Set<SummaryCounts.Key>
}

/// The one list of operations. Queues, capabilities, allowlist, retries and labels derive from it.
package enum OperationCatalogue {
    /// All definitions, one per type.
    package static let all: [OperationDefinition] = OperationType.allCases.map(definition)

    /// The definition of a type.
    package static func definition(_ type: OperationType) -> OperationDefinition {
        switch type {
        case .connectionCheck:
            define(type, "Connection check", .provider, .providerRun, .read, system: true)
        case .complianceSnapshot:
            define(
                type, "Compliance snapshot", .provider, .providerRun, .read, system: true,
                counts: SummaryCounts.Key.compliance)
        case .inventorySync:
            define(
                type, "Inventory sync", .inventory, .providerRun, .read, system: true,
                counts: [.changed, .gone])
        case .policySync:
            define(
                type, "Policy sync", .inventory, .providerRun, .read, system: true, counts: [.changed, .gone])
        case .backupRun:
            define(type, "Backup", .inventory, .backupRun, .read, system: true)
        case .restoreExecute:
            define(
                type, "Restore", .restore, .restoreExecute, .write,
                counts: SummaryCounts.Key.restorePreview.union([.created, .updated]))
        case .restoreAssignments:
            define(
                type, "Restore of assignments", .restore, .restoreExecute, .write,
                counts: SummaryCounts.Key.restorePreview.union([.updated]))
        case .policyBulkAssign:
            define(type, "Bulk assignment", .bulk, .policyBulk, .write)
        case .policyBulkDelete:
            define(type, "Bulk deletion of policies", .bulk, .policyBulk, .write)
        case .deviceBulkSync:
            define(type, "Bulk device sync", .bulk, .deviceBulk, .write)
        }
    }

    /// The definition behind a stored or received name; nil when the name is none of ours.
    package static func definition(named name: String) -> OperationDefinition? {
        OperationType(rawValue: name).map(definition)
    }

    private static func define(
        _ type: OperationType, _ label: String, _ family: OperationFamily, _ capability: Capability,
        _ effect: OperationEffect, system: Bool = false, counts: Set<SummaryCounts.Key> = []
    ) -> OperationDefinition {
        OperationDefinition(
            type: type, label: label, family: family, capability: capability, effect: effect,
            systemMayRun: system, queueLimitSeconds: 24 * 3_600,
            retry: effect == .read ? .reads : .writes, countKeys: counts)
    }
}
