import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import Testing

@testable import ServiceKit

/// The services that the tests run, each in a process of its own: this test binary, started again with the
/// name of the scenario in its environment.
@Suite struct ServiceChild {
    enum Scenario: String {
        case good, failing, ending, blocking, misconfigured, unstartable
    }

    static let variable = "TENANTATLAS_TEST_SCENARIO"
    static let scenario = ProcessInfo.processInfo.environment[variable].flatMap(Scenario.init)

    /// Runs for ever in the child, and is skipped everywhere else.
    @Test(.enabled(if: scenario != nil)) func runsTheScenario() async throws {
        let scenario = try #require(Self.scenario)
        await runService("child", port: 0) { context in try Self.compose(scenario, context) }
    }

    struct Patient: Service {
        func run() async throws { try await gracefulShutdown() }
    }

    struct Failing: Service {
        struct Broken: Error {}
        func run() async throws { throw Broken() }
    }

    struct Ending: Service {
        func run() async throws {}
    }

    /// What must never be written, and is the worst that can be: every thread of the pool blocks for ever.
    struct Blocking: Service {
        let logger: Logger

        func run() async throws {
            logger.info("blocking")
            await withTaskGroup { group in
                for _ in 0..<256 { group.addTask { Self.block() } }
            }
        }

        private static func block() {
            while true { pause() }
        }
    }

    private static func compose(_ scenario: Scenario, _ context: ServiceContext) throws -> ServiceComposition
    {
        switch scenario {
        case .good:
            let greeted = context.metrics.counter("app_greetings_total", help: "Greetings.")
            return ServiceComposition(
                services: [Patient(), Patient()],
                readiness: [ReadinessCheck("one") {}, ReadinessCheck("two") {}],
                addRoutes: { router in
                    router.get("hello") { _, _ in
                        greeted.add()
                        return "hello"
                    }
                })
        case .failing: return ServiceComposition(services: [Patient(), Failing()])
        case .ending: return ServiceComposition(services: [Patient(), Ending()])
        case .blocking: return ServiceComposition(services: [Blocking(logger: context.logger)])
        case .misconfigured:
            _ = context.configuration.secret("SOME_KEY")
            _ = context.configuration.integer("SOME_NUMBER", in: 1...9)
            return ServiceComposition(services: [])
        case .unstartable: throw Failing.Broken()
        }
    }
}
