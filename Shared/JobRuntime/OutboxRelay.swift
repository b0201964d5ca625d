package import AMQP
package import Logging
internal import Operations
package import Store
import Synchronization

/// Brings committed messages to the broker: publish, wait for the confirm, then delete the row (H7).
///
/// What a service has just committed is handed over in memory; what is delayed, or was left behind by a lost
/// process, is claimed from the table. Runs in every service that writes the outbox; any number may run.
package final class OutboxRelay: Sendable {
    /// How often the table is looked at for messages that have become due.
    private static let sweepInterval = Duration.milliseconds(250)
    /// The most messages of one publication.
    private static let batchLimit = 500
    /// When a message is published again that the broker refused, or that could not be sent.
    private static let retrySeconds = 1.0

    private let store: OutboxStore
    private let publisher: Publisher
    private let routes: [String]
    private let logger: Logger
    private let inbox = Mutex<[PendingMessage]>([])
    private let wakeups: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// `routes`: which messages this relay claims from the table. A consumer relays the events it causes and
    /// its own family's jobs.
    package init(store: OutboxStore, publisher: Publisher, routes: [String], logger: Logger) {
        self.store = store
        self.publisher = publisher
        self.routes = routes
        self.logger = logger
        (wakeups, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// All routes: for the starter, which is there in every installation.
    package static let allRoutes =
        OperationFamily.allCases.map { OutboxMessage.Route.job($0).name } + [
            OutboxMessage.Route.terminalEvent.name
        ]

    /// Hands over messages whose rows were just committed by this process. Never waits; when the process
    /// dies, the rows are claimed by another relay as soon as their lease is over.
    package func publish(_ messages: [PendingMessage]) {
        guard !messages.isEmpty else { return }
        inbox.withLock { $0 += messages }
        wake.yield()
    }

    /// Relays until the task is cancelled; then what was handed over is still published.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.relayInbox() }
            group.addTask { await self.sweep() }
            await group.waitForAll()
        }
    }

    /// Ends the task that runs this relay: what was handed over is published, for at most `limit`, and then the
    /// publisher is closed. What the broker did not take in time stays in the outbox for another process.
    package func drain(_ relaying: Task<Void, Never>, within limit: Duration) async {
        relaying.cancel()
        let closing = Task {
            try? await Task.sleep(for: limit)
            await publisher.close()
        }
        await relaying.value
        closing.cancel()
        await closing.value
    }

    private func relayInbox() async {
        for await _ in wakeups {
            while case let batch = takeBatch(), !batch.isEmpty { await relay(batch) }
        }
        // A graceful stop: an uncancelled task, so that the last confirms are waited for.
        await Task { while case let batch = takeBatch(), !batch.isEmpty { await relay(batch) } }.value
    }

    private func takeBatch() -> [PendingMessage] {
        inbox.withLock { inbox in
            let batch = Array(inbox.prefix(Self.batchLimit))
            inbox.removeFirst(batch.count)
            return batch
        }
    }

    private func sweep() async {
        while !Task.isCancelled {
            do {
                let due = try await store.claimDue(routes: routes)
                await relay(due)
                if due.count == OutboxStore.claimLimit { continue }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("the outbox could not be read", error: error)
            }
            try? await Task.sleep(for: Self.sweepInterval)
        }
    }

    /// Publishes a batch and deletes what was confirmed. The rest stays in the table and is claimed again: soon, where the
    /// broker certainly has it not; where it may have it, when the row's lease is over.
    private func relay(_ batch: [PendingMessage]) async {
        guard !batch.isEmpty else { return }
        let outcomes = await publisher.publish(batch.map(Self.outgoing))
        var confirmed: [Int] = []
        var refused: [Int] = []
        for (message, outcome) in zip(batch, outcomes) {
            if outcome.isConfirmed {
                confirmed.append(message.outboxID)
            } else {
                if outcome.isCertainlyAbsent { refused.append(message.outboxID) }
                logger.warning(
                    "a message was not taken by the broker; it is published again",
                    metadata: [
                        "route": "\(message.route)", "run": "\(message.runID)", "outcome": "\(outcome)",
                    ])
            }
        }
        do {
            try await store.delete(confirmed)
            try await store.giveBack(refused, forSeconds: Self.retrySeconds)
        } catch {
            logger.warning(
                "what became of messages could not be written down; they are published again", error: error,
                metadata: ["confirmed": "\(confirmed.count)", "refused": "\(refused.count)"])
        }
    }

    private static func outgoing(_ message: PendingMessage) -> OutgoingMessage {
        let isEvent = message.route == OutboxMessage.Route.terminalEvent.name
        return OutgoingMessage(
            exchange: isEvent ? JobTopology.events : JobTopology.jobs,
            routingKey: isEvent ? "" : String(message.route.dropFirst("jobs.".count)),
            id: message.messageID, type: isEvent ? TerminalEvent.type : JobMessage.type,
            correlationID: "\(message.runID)",
            contentType: isEvent ? TerminalEvent.contentType : "application/json", body: message.body)
    }
}
