internal import Operations
import Graph
import JobRuntime
import ServiceKit
import Store

/// Executes the operations of the provider family: connection checks and compliance snapshots.
@main
enum ProviderConsumerMain {
    static func main() async {
        await runService("provider-consumer", port: 8081) { context in
            try FamilyConsumer.compose(.provider, context) { parts in
                let connections = ProviderConnections(pool: parts.pool)
                let gateway = try GraphGateway.fromEnvironment(
                    context, permits: parts.permits, connections: connections)
                return [
                    .connectionCheck: ConnectionCheck(
                        gateway: gateway, ledger: parts.ledger, connections: connections
                    ).execute,
                    .complianceSnapshot: ComplianceSnapshot(gateway: gateway, ledger: parts.ledger).execute,
                ]
            }
        }
    }
}
