internal import Hummingbird
import HummingbirdCore
import Logging
internal import NIOCore
import ServiceLifecycle

/// The HTTP server of a service.
struct HealthServer: Service {
    /// A connection on which nothing arrives is closed after this time.
    private static let idleTimeout = TimeAmount.seconds(60)
    /// More wait in the system's queue.
    private static let mostConnections = 1_024

    let responder: RouterResponder<ServiceRequestContext>
    let host: String
    let port: Int
    let logger: Logger

    func run() async throws {
        // It would log each connection.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        let application = Application(
            responder: responder, server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections, logger: quiet)
            ),
            onServerRunning: { channel in
                logger.info(
                    "listening", metadata: ["port": .stringConvertible(channel.localAddress?.port ?? port)])
            },
            logger: quiet)
        try await application.run()
    }
}
