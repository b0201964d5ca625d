import FoundationEssentials
import Graph
import JobRuntime
import Operations
import Postgres
import ServiceKit
import Store

/// Consumers that only tests and benchmarks start.
///
/// `TEST_CONSUMER=noop` executes provider operations that do nothing: it measures the path itself.
/// `TEST_CONSUMER=slow` waits 100 ms in each, as a slow provider would, without a call.
/// `TEST_CONSUMER=caller` makes many small calls through the gateway: what the revocation test watches.
/// `TEST_CONSUMER=unchecked` makes the same calls under permits that are never refused: its negative control.
@main
enum TestConsumer {
    enum Kind: String, CaseIterable, Sendable { case noop, slow, caller, unchecked }

    static func main() async {
        await runService("test-consumer", port: 0) { context in
            switch context.configuration.choice("TEST_CONSUMER", default: Kind.noop) {
            case .noop: try compose(context) { _ in .completed(oneApplied) }
            case .slow:
                try compose(context) { _ in
                    try await Task.sleep(for: .milliseconds(100))
                    return .completed(oneApplied)
                }
            case .caller: try calling(context, permits: FamilyConsumer.checkedPermits)
            case .unchecked:
                try calling(context) {
                    .withoutCheckForNegativeControl(pool: $0, worker: $1, clock: $2, makeID: UUID.timeOrdered)
                }
            }
        }
    }

    private static var oneApplied: SummaryCounts {
        var counts = SummaryCounts()
        counts[.total] = 1
        counts[.applied] = 1
        return counts
    }

    private static func compose(
        _ context: ServiceContext, _ handler: @escaping Handler
    ) throws -> ServiceComposition {
        try FamilyConsumer.compose(.provider, context) { _ in
            [.connectionCheck: handler, .complianceSnapshot: handler]
        }
    }

    private static func calling(
        _ context: ServiceContext, permits: (PostgresPool, UUID, DatabaseClock) -> CallPermits
    ) throws -> ServiceComposition {
        try FamilyConsumer.compose(.provider, context, permits: permits) { parts in
            let gateway = try GraphGateway.fromEnvironment(
                context, permits: parts.permits, connections: ProviderConnections(pool: parts.pool))
            let caller = RepeatedCalls(gateway: gateway)
            return [.connectionCheck: caller.execute, .complianceSnapshot: caller.execute]
        }
    }
}
