import Logging

/// Listens to NOTIFY on a connection of its own, and connects again by itself.
///
/// Notifications are hints: while there is no connection they are lost, and a slow subscriber loses all but
/// the newest 256. Hence the empty payload, which says «look again».
package actor PostgresListener {
    /// How often a quiet connection is asked for a sign of life.
    private static let checkInterval = Duration.seconds(15)
    /// The pause after a failure.
    private static let pause = Duration.seconds(1)
    /// The most bytes of a channel's name: longer ones the server cuts off.
    private static let nameLimit = 63

    private let connection: PostgresConnection
    private let subscriptions: Subscriptions
    private let work: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private var tasks: [Task<Void, Never>] = []
    private var isClosed = false

    /// Starts the thread; the first subscription connects. End it with ``close()``.
    package init(_ configuration: PostgresConfiguration, logger: Logger) {
        let subscriptions = Subscriptions()
        let (work, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        connection = PostgresConnection(configuration, name: "postgres-listen", logger: logger) { event in
            switch event {
            case .notification(let channel, let payload): subscriptions.deliver(payload, on: channel)
            case .lost:
                subscriptions.lost()
                wake.yield()
            }
        }
        self.subscriptions = subscriptions
        self.work = work
        self.wake = wake
    }

    deinit {
        for task in tasks { task.cancel() }
        connection.close()
        subscriptions.close()
    }

    /// The payloads of a channel, for one reader. An empty one means «look again»: it comes once listening
    /// has begun, and after each reconnect. The stream ends with ``close()``.
    ///
    /// Traps unless the name has 1 to 63 bytes and no NUL: names are written in the source.
    package func notifications(_ channel: String) -> AsyncStream<String> {
        precondition((1...Self.nameLimit).contains(channel.utf8.count) && !channel.utf8.contains(0))
        let stream = subscriptions.subscribe(to: channel)
        if tasks.isEmpty, !isClosed { start() }
        wake.yield()
        return stream
    }

    /// Ends all streams, the connection and its thread.
    package func close() async {
        isClosed = true
        wake.finish()
        for task in tasks { task.cancel() }
        subscriptions.close()
        connection.close()
        await connection.waitUntilClosed()
    }

    private func start() {
        tasks = [
            Task { [connection, subscriptions, work] in
                for await _ in work { await Self.establish(connection, subscriptions) }
            },
            Task { [wake] in
                while (try? await Task.sleep(for: Self.checkInterval)) != nil { wake.yield() }
            },
        ]
    }

    /// Sends LISTEN for every channel that lacks it until all have it; with none, asks for a sign of life,
    /// which costs a silent connection its life within the client's deadline.
    private static func establish(
        _ connection: PostgresConnection, _ subscriptions: Subscriptions
    ) async {
        repeat {
            let (channels, session) = subscriptions.missing
            let calls = channels.isEmpty ? [Call(withoutParameters: "SELECT 1")] : channels.map(listen)
            switch await connection.run(calls) {
            case .success: subscriptions.established(channels, session: session)
            case .failure(let error):
                if error.kind == .closed { return }
                try? await Task.sleep(for: pause)
            }
        } while !Task.isCancelled && !subscriptions.missing.channels.isEmpty
    }

    private static func listen(to channel: String) -> Call {
        let doubled = channel.split(separator: "\"", omittingEmptySubsequences: false).joined(
            separator: "\"\"")
        return Call(once: "LISTEN \"\(doubled)\"")
    }
}
