import Graph
import JobRuntime
import Operations
import ServiceKit
import Store

/// Executes the operations of the bulk family: the same change on many policies or devices.
@main
enum BulkConsumerMain {
    static func main() async {
        await runService("bulk-consumer", port: 8086) { context in
            try FamilyConsumer.compose(.bulk, context) { parts in
                let perSecond = context.configuration.integer(
                    "WRITES_PER_SECOND", default: 10, in: 1...10_000)
                let gateway = try GraphGateway.fromEnvironment(
                    context, permits: parts.permits, connections: ProviderConnections(pool: parts.pool))
                let budget = WriteBudget(pool: parts.pool, perSecond: perSecond)
                let items = ChunkItems(pool: parts.pool)
                let division = RunDivision(pool: parts.pool)
                func run(_ change: @escaping @Sendable (BulkParameters) -> (any BulkChange)?) -> Handler {
                    BulkRun(
                        gateway: gateway, division: division, items: items, budget: budget, change: change
                    ).execute
                }
                return [
                    .policyBulkAssign: run(PolicyBulkAssign.init),
                    .policyBulkDelete: run(PolicyBulkDelete.init),
                    .deviceBulkSync: run { _ in DeviceBulkSync() },
                ]
            }
        }
    }
}
