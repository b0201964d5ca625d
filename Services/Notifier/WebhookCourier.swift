import Logging
import Operations
import Store
import Synchronization

/// The loop that delivers webhooks: takes what is due, and sends it, many side by side.
///
/// Any number of couriers may run, here and on other machines: a row belongs to whoever claimed it until its
/// lease ends. A delivery that was under way when its process died is repeated under the same id.
final class WebhookCourier: Sendable {
    /// How long a claim lasts, in seconds: longer than a try and the writing down of its result.
    static let leaseSeconds = 60.0
    /// The most deliveries under way at a time, in all and for one recipient.
    private static let slots = 128
    private static let slotsPerRecipient = 16
    /// How often the table is looked at for what has become due.
    private static let interval = Duration.seconds(1)
    private static let firstPause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(5)

    private let store: Notifications
    private let sender: WebhookSender
    private let figures: NotifierFigures
    private let logger: Logger
    private let underWay = Mutex<[UserID: Int]>([:])
    private let isStopping = Atomic(false)
    private let wakeups: AsyncStream<Void>
    private let wakeup: AsyncStream<Void>.Continuation

    init(store: Notifications, sender: WebhookSender, figures: NotifierFigures, logger: Logger) {
        self.store = store
        self.sender = sender
        self.figures = figures
        self.logger = logger
        (wakeups, wakeup) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// How many deliveries are under way now.
    var active: Int { underWay.withLock { $0.values.reduce(0, +) } }

    /// Something may have become due.
    func wake() { wakeup.yield() }

    /// Takes nothing new; what is under way may end.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        wakeup.finish()
    }

    /// Delivers until ``stop()``; returns when nothing is under way any more. When the task is cancelled,
    /// what is under way is broken off and comes back when its lease has ended.
    func run() async {
        let ticking = Task {
            while !Task.isCancelled {
                wake()
                try? await Task.sleep(for: Self.interval)
            }
        }
        await withDiscardingTaskGroup { group in
            var pause = Self.firstPause
            for await _ in wakeups {
                do {
                    while let due = try await claim() {
                        for delivery in due { group.addTask { await self.deliver(delivery) } }
                    }
                    pause = Self.firstPause
                } catch {
                    logger.warning("due webhooks could not be read", error: error)
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, Self.longestPause)
                }
            }
        }
        ticking.cancel()
    }

    /// Nil when nothing is due, or nothing more may be under way.
    private func claim() async throws -> [DueDelivery]? {
        let (free, busy) = underWay.withLock { (Self.slots - $0.values.reduce(0, +), Set($0.keys)) }
        guard free > 0, !isStopping.load(ordering: .relaxed), !Task.isCancelled else { return nil }
        let due = try await store.claimDue(limit: free, perRecipient: Self.slotsPerRecipient, busy: busy)
        underWay.withLock { underWay in
            for delivery in due { underWay[delivery.recipient, default: 0] += 1 }
        }
        return due.isEmpty ? nil : due
    }

    private func deliver(_ delivery: DueDelivery) async {
        defer { ended(delivery) }
        guard let tried = await sender.send(delivery) else { return }
        figures.notified(.webhook, tried.result?.rawValue ?? "withdrawn")
        do {
            try await store.record(tried)
        } catch {
            logger.warning(
                "a delivery could not be written down; it is repeated under the same id", error: error,
                metadata: ["run": "\(delivery.runID)"])
        }
    }

    private func ended(_ delivery: DueDelivery) {
        let isIdle = underWay.withLock { underWay in
            underWay[delivery.recipient, default: 1] -= 1
            guard underWay[delivery.recipient] == 0 else { return false }
            underWay[delivery.recipient] = nil
            return true
        }
        if isIdle { wake() }
    }
}
