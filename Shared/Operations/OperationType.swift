/// The canonical names of everything a person, a schedule or an upstream system can start.
package enum OperationType: String, Sendable, CaseIterable {
    case connectionCheck = "provider.connection.check"
    case complianceSnapshot = "compliance.snapshot"
    case inventorySync = "inventory.sync"
    case policySync = "policy.sync"
    case backupRun = "backup.run"
    case restoreExecute = "restore.execute"
    case restoreAssignments = "restore.assignments"
    case policyBulkAssign = "policy.bulk_assign"
    case policyBulkDelete = "policy.bulk_delete"
    case deviceBulkSync = "device.bulk_sync"
}

/// Who executes an operation: one consumer program and one queue each.
package enum OperationFamily: String, Sendable, CaseIterable {
    case provider, inventory, restore, bulk
}

/// What an operation does to the customer's tenant.
package enum OperationEffect: String, Sendable {
    /// Reads only.
    case read
    /// Changes something; the tenant's write gate must be open.
    case write
}
