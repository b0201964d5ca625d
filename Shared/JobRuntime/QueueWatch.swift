package import Logging
internal import Operations
package import Postgres
package import ServiceKit
internal import Store

/// Shows how much work is queued. Runs in the starter; each starter shows the same.
package struct QueueWatch: Sendable {
    /// How often the figures are read.
    private static let interval = Duration.seconds(5)

    private let pool: PostgresPool
    private let logger: Logger
    private let due: Gauge
    private let waiting: Gauge
    private let running: Gauge
    private let oldest: Gauge
    private let chunks: Gauge
    private let oldestChunk: Gauge
    private let messages: Gauge
    private let oldestMessage: Gauge

    /// Enters the figures.
    package init(pool: PostgresPool, metrics: Metrics, logger: Logger) {
        self.pool = pool
        self.logger = logger
        due = metrics.gauge(
            "tenantatlas_runs_queued", help: "Queued runs that only a consumer is missing for.",
            labels: ["family"])
        waiting = metrics.gauge(
            "tenantatlas_runs_waiting", help: "Queued runs that wait for a reason that may pass.",
            labels: ["family"])
        running = metrics.gauge("tenantatlas_runs_running", help: "Running runs.", labels: ["family"])
        oldest = metrics.gauge(
            "tenantatlas_oldest_queued_run_age_seconds",
            help: "How long the oldest queued run could have begun; 0 without one.", labels: ["family"])
        chunks = metrics.gauge("tenantatlas_chunks_queued", help: "Parts of bulk runs that could begin.")
        oldestChunk = metrics.gauge(
            "tenantatlas_oldest_queued_chunk_age_seconds",
            help: "How long the oldest part of a bulk run could have begun; 0 without one.")
        messages = metrics.gauge(
            "tenantatlas_outbox_overdue_messages", help: "Committed messages that nobody published in time.")
        oldestMessage = metrics.gauge(
            "tenantatlas_outbox_overdue_seconds",
            help: "How long the oldest of them is overdue; 0 without one.")
    }

    /// Works until the task is cancelled. Without the database the figures stay as they were read last.
    package func run() async {
        while !Task.isCancelled {
            do { show(try await QueueFigures.read(pool)) } catch {
                if !Task.isCancelled { logger.warning("the queues' figures could not be read", error: error) }
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func show(_ figures: QueueFigures) {
        for (family, numbers) in figures.families {
            due.set(Double(numbers.due), family.rawValue)
            waiting.set(Double(numbers.waiting), family.rawValue)
            running.set(Double(numbers.running), family.rawValue)
            oldest.set(max(0, numbers.oldestDueSeconds), family.rawValue)
        }
        chunks.set(Double(figures.dueChunks))
        oldestChunk.set(max(0, figures.oldestChunkSeconds))
        messages.set(Double(figures.overdueMessages))
        oldestMessage.set(max(0, figures.oldestMessageSeconds))
    }
}
