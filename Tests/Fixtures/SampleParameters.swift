package import JSON
package import Operations

/// Parameters that an operation takes; nil for those that need none.
package func sampleParameters(_ type: OperationType) -> JSON? {
    switch type {
    case .restoreExecute, .restoreAssignments:
        ["backup_id": "00000000-0000-7000-8000-000000000001", "items": "all", "mode": "preview"]
    case .policyBulkAssign:
        ["kind": "device_script", "items": ["a"], "assignment": ["target": "all_users"]]
    case .policyBulkDelete: ["kind": "device_script", "items": ["a"]]
    case .deviceBulkSync: ["items": ["a"]]
    case .connectionCheck, .complianceSnapshot, .inventorySync, .policySync, .backupRun: nil
    }
}
