package import Logging
package import Store

/// Fires schedules when they are due. Runs in the starter; any number may run at once.
package struct Scheduler: Sendable {
    /// How often due schedules are looked for.
    private static let interval = Duration.seconds(1)

    private let firings: ScheduleFirings
    private let publish: @Sendable ([PendingMessage]) -> Void
    private let logger: Logger

    package init(
        firings: ScheduleFirings, publish: @escaping @Sendable ([PendingMessage]) -> Void, logger: Logger
    ) {
        self.firings = firings
        self.publish = publish
        self.logger = logger
    }

    /// Works until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            do {
                while try await fire() == ScheduleFirings.batchLimit {}
            } catch is CancellationError {
                return
            } catch {
                logger.warning("schedules could not be fired; they stay due", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Returns how many schedules were looked at.
    private func fire() async throws -> Int {
        let result = try await firings.fire()
        publish(result.messages)
        if result.queued + result.blocked + result.skipped > 0 {
            logger.info(
                "schedules were fired",
                metadata: [
                    "queued": "\(result.queued)", "blocked": "\(result.blocked)",
                    "postponed": "\(result.postponed)", "skipped": "\(result.skipped)",
                ])
        }
        return result.looked
    }
}
