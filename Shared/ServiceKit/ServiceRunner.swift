internal import FoundationEssentials
import Glibc
internal import Hummingbird
import Logging
import ServiceLifecycle
import UnixSignals

/// How long the services of a process may take to stop.
private let shutdownLimitSeconds: UInt32 = 10

/// Runs a service from its first moment to its last; the whole `main` of a service calls this.
///
/// It hardens the process, reads `HTTP_PORT` (0: any free one), `HTTP_HOST` (default `0.0.0.0`) and
/// `LOG_LEVEL`, logs version and commit, lets `compose` build the parts, and runs them with the health
/// endpoints until SIGTERM or SIGINT, or until one of them ends. Then all stop gracefully, the last one
/// first; after 10 seconds the process ends anyway, with a log line that names what did not stop.
///
/// With the argument `--version` it prints version and commit, and ends.
///
/// Exit status: 0 after a signal or `--version`, 78 for a wrong configuration, 1 for everything else.
package func runService(
    _ name: String, port: Int, compose: @Sendable (ServiceContext) async throws -> ServiceComposition
) async -> Never {
    if CommandLine.arguments.dropFirst() == ["--version"] {
        StandardOutput.write(Array((BuildInfo.line(name) + "\n").utf8))
        exit(0)
    }
    Hardening.apply()
    let configuration = Configuration(environment: ProcessInfo.processInfo.environment)
    let level = configuration.choice("LOG_LEVEL", default: Logger.Level.info)
    LoggingSystem.bootstrap { _ in
        JSONLogHandler(service: name, level: level, write: StandardOutput.write)
    }
    let logger = Logger(label: name)
    logger.notice(
        "starting", metadata: ["version": .string(BuildInfo.version), "commit": .string(BuildInfo.commit)])
    let metrics = Metrics()
    ProcessFigures.register(in: metrics, service: name)
    do {
        let host = configuration.string("HTTP_HOST", default: "0.0.0.0", example: "127.0.0.1")
        let port = configuration.integer("HTTP_PORT", default: port, in: 0...65_535)
        let composition = try await compose(
            ServiceContext(name: name, configuration: configuration, logger: logger, metrics: metrics))
        try configuration.check()
        let readiness = Readiness(composition.readiness, logger: logger)
        let router = Router(context: ServiceRequestContext.self)
        HealthRoutes(service: name, readiness: readiness, metrics: metrics).add(to: router)
        composition.addRoutes(router)
        let server = HealthServer(responder: router.buildResponder(), host: host, port: port, logger: logger)
        exit(await run(composition.services + [server], readiness, logger))
    } catch let error as ConfigurationError {
        for problem in error.problems { logger.critical("configuration: \(problem)") }
        exit(78)
    } catch {
        logger.critical("can't start", error: error)
        exit(1)
    }
}

/// Runs the services until they have ended, and returns the exit status.
private func run(_ services: [any Service], _ readiness: Readiness, _ logger: Logger) async -> Int32 {
    let deadline = ShutdownDeadline(limitSeconds: shutdownLimitSeconds, logger: logger)
    deadline.watch([SIGTERM, SIGINT]) {
        logger.notice("stopping", metadata: ["signal": .stringConvertible(deadline.signal ?? 0)])
        Task { await readiness.stop() }
    }
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .error)
    let group = ServiceGroup(
        configuration: ServiceGroupConfiguration(
            services: TrackedService.wrap(services, deadline, logger).map { service in
                .init(
                    service: service, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
    do {
        try await group.run()
    } catch {
        // The service that failed has said so.
        logger.critical("stopped after a failure")
        return 1
    }
    logger.notice("stopped")
    return deadline.signal == nil ? 1 : 0
}
