import Operations
import Graph
import JobRuntime
import ServiceKit
import Store

/// Executes the operations of the inventory family: inventory and policy syncs, and backups.
@main
enum InventoryConsumerMain {
    static func main() async {
        await runService("inventory-consumer", port: 8084) { context in
            try FamilyConsumer.compose(.inventory, context) { parts in
                let gateway = try GraphGateway.fromEnvironment(
                    context, permits: parts.permits, connections: ProviderConnections(pool: parts.pool))
                let policies = PolicyInventory(pool: parts.pool)
                return [
                    .inventorySync: InventorySync(
                        gateway: gateway, ledger: parts.ledger, devices: DeviceInventory(pool: parts.pool),
                        policies: policies, groups: DirectoryGroups(pool: parts.pool)
                    ).execute,
                    .policySync: PolicySync(gateway: gateway, ledger: parts.ledger, policies: policies)
                        .execute,
                    .backupRun: BackupRun(
                        gateway: gateway, ledger: parts.ledger, backups: BackupSets(pool: parts.pool)
                    ).execute,
                ]
            }
        }
    }
}
