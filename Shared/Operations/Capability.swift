/// What a role may do. The only place where a role means anything: nothing else compares roles.
package enum Capability: String, Sendable, CaseIterable {
    case providerView = "provider.view"
    case providerManage = "provider.manage"
    case providerRun = "provider.run"
    case backupRun = "backup.run"
    case restoreExecute = "restore.execute"
    case policyBulk = "policy.bulk"
    case deviceBulk = "device.bulk"
    case operationsView = "operations.view"
    case accessManage = "access.manage"
    case auditView = "audit.view"
    case notificationsManage = "notifications.manage"
}

/// What a person was granted on a tenant or a whole workspace.
package enum Role: String, Sendable, CaseIterable {
    case owner, manager, `operator`, readonly

    /// The registry of who may do what.
    package var capabilities: Set<Capability> {
        switch self {
        case .owner, .manager: Set(Capability.allCases)
        case .operator: [.providerView, .providerRun, .backupRun, .operationsView]
        case .readonly: [.providerView, .operationsView]
        }
    }

    /// Whether this role includes the capability.
    package func holds(_ capability: Capability) -> Bool { capabilities.contains(capability) }
}
