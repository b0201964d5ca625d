import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The HTTP server around a sandbox.
struct SandboxServer: Sendable {
    let sandbox: Sandbox
    let host: String
    /// 0 stands for any free port.
    let port: Int

    /// Serves until the task is cancelled or one of `signals` arrives.
    ///
    /// - Parameter listening: is told the address once the socket accepts connections.
    func run(
        stoppingOn signals: [UnixSignal] = [], listening: @escaping @Sendable (_ url: String) -> Void
    ) async throws {
        var logger = Logger(label: "graph-sandbox")
        // What goes wrong on purpose is no news, and a failed start is thrown.
        logger.logLevel = .critical
        let host = host
        let application = Application(
            responder: SandboxResponder(sandbox),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port), serverName: nil, backlog: 1_024),
            onServerRunning: { channel in
                guard let port = channel.localAddress?.port else { return }
                listening("http://\(host.contains(":") ? "[\(host)]" : host):\(port)")
            },
            logger: logger)
        var configuration = ServiceGroupConfiguration(
            services: [application], gracefulShutdownSignals: signals, logger: logger)
        // A call that an armed fault delays must not keep the process alive.
        configuration.maximumGracefulShutdownDuration = Duration.seconds(1)
        try await ServiceGroup(configuration: configuration).run()
    }
}
