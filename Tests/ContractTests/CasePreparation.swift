import Waiting
import ServiceKit
import Fixtures
import Foundation
import JSON
import JobRuntime
import Operations
import Postgres
import Store

/// What the operations that change a tenant work on: a backup, or an inventory. Made by the real consumer before
/// everything else, for the cases that are to execute.
struct CasePreparation {
    /// The backup set of each connection that has one.
    private let backups: [ConnectionID: RunID]

    /// Runs what is needed, and waits for its end. A consumer of the inventory family and `relay` must be running.
    init(
        for cases: [ExecutionCase], at places: [CasePlaces.Place], _ pool: PostgresPool, _ relay: OutboxRelay
    ) async throws {
        let starts = StartService(
            pool: pool, families: [.inventory], outboxLeaseSeconds: 60, makeID: UUID.timeOrdered)
        var backups: [ConnectionID: RunID] = [:]
        var runs: [RunID] = []
        for (row, place) in zip(cases, places) where row.expectation.calls {
            guard let operation = Self.preparing(row.operation.family) else { continue }
            let answer = try await starts.start(
                StartRequest(
                    operation: operation.rawValue, connectionID: place.connection, initiatorID: nil,
                    origin: .schedule))
            guard case .accepted(let run, let message) = answer else {
                throw NotInTime(description: "\(row): \(operation.rawValue) was not accepted: \(answer)")
            }
            relay.publish([message])
            runs.append(run.execution.runID)
            if operation == .backupRun { backups[place.connection] = run.execution.runID }
        }
        let ids = [Parameter.uuids(runs.map(\.uuid))]
        _ = try await eventually("backups and inventories are made", within: .seconds(120)) {
            let done = try await pool.query(
                "SELECT count(*) FROM runs WHERE id = ANY ($1::uuid[]) AND outcome = 'succeeded'", ids)[0]
                .int(0)
            return done == runs.count ? true : nil
        }
        self.backups = backups
    }

    private static func preparing(_ family: OperationFamily) -> OperationType? {
        switch family {
        case .provider, .inventory: nil
        case .restore: .backupRun
        case .bulk: .inventorySync
        }
    }

    /// What a start of the operation asks for. Where nothing was prepared, the gate is to refuse it before it matters.
    func parameters(_ operation: OperationType, at place: CasePlaces.Place) -> JSON? {
        let backup = (backups[place.connection]?.uuid ?? UUID()).uuidString.lowercased()
        return switch operation {
        case .connectionCheck, .complianceSnapshot, .inventorySync, .policySync, .backupRun: nil
        case .restoreExecute, .restoreAssignments:
            ["backup_id": .string(backup), "items": "all", "mode": "preview"]
        case .policyBulkAssign:
            [
                "kind": "device_configuration", "filter": ["all": true],
                "assignment": ["target": "all_devices"],
            ]
        case .policyBulkDelete: ["kind": "device_configuration", "filter": ["all": true]]
        case .deviceBulkSync: ["filter": ["all": true]]
        }
    }
}
