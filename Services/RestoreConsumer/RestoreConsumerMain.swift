import Graph
import JobRuntime
import Operations
import ServiceKit
import Store

/// Executes the operations of the restore family: of whole items, and of assignments alone.
@main
enum RestoreConsumerMain {
    static func main() async {
        await runService("restore-consumer", port: 8086) { context in
            try FamilyConsumer.compose(.restore, context) { parts in
                let lag = context.configuration.seconds("LIST_LAG_SECONDS", default: 30, in: 1...300)
                let gateway = try GraphGateway.fromEnvironment(
                    context, permits: parts.permits, connections: ProviderConnections(pool: parts.pool))
                let restore = RestoreRun(
                    gateway: gateway, ledger: parts.ledger, backups: BackupReading(pool: parts.pool),
                    listLag: lag)
                return [.restoreExecute: restore.execute, .restoreAssignments: restore.execute]
            }
        }
    }
}
