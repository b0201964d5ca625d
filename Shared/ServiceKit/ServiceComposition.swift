package import Hummingbird
import Logging
import ServiceLifecycle

/// What a composition root works with.
package struct ServiceContext {
    package let name: String
    /// Read everything from it, then call its `check()`, then build.
    package let configuration: Configuration
    package let logger: Logger
    package let metrics: Metrics
}

/// What a composition root builds.
package struct ServiceComposition {
    let services: [any Service]
    let readiness: [ReadinessCheck]
    let addRoutes: (Router<ServiceRequestContext>) -> Void

    /// - Parameters:
    ///   - services: in the order of dependence: the last one is stopped first. The HTTP server comes
    ///     after all of them.
    ///   - readiness: without any, the service is ready as soon as it runs.
    ///   - addRoutes: what the HTTP server answers besides `/livez`, `/readyz` and `/metrics`.
    package init(
        services: [any Service], readiness: [ReadinessCheck] = [],
        addRoutes: @escaping (Router<ServiceRequestContext>) -> Void = { _ in }
    ) {
        self.services = services
        self.readiness = readiness
        self.addRoutes = addRoutes
    }
}
