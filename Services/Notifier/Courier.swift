import FoundationEssentials
import Logging
import Operations
import Store
import Synchronization

/// The loop that delivers the notifications of one channel: takes what is due, and sends it, many side by side.
///
/// Any number of couriers may run, here and on other machines: a row belongs to whoever claimed it until its
/// lease ends. A delivery that was under way when its process died is repeated under the same id.
final class Courier: Sendable {
    /// How long a claim lasts, in seconds: longer than a try and the writing down of its result.
    static let leaseSeconds = 120.0
    /// How often the table is looked at for what has become due.
    private static let interval = Duration.seconds(1)
    private static let firstPause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(5)

    let channel: NotificationPolicy.Channel
    private let slots: Int
    private let slotsPerLane: Int
    private let store: Deliveries
    private let send: @Sendable (DueDelivery) async -> TriedDelivery?
    private let figures: NotifierFigures
    private let logger: Logger
    private let underWay = Mutex<[UUID: Int]>([:])
    private let isStopping = Atomic(false)
    private let wakeups: AsyncStream<Void>
    private let wakeup: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - slots: the most deliveries under way at a time.
    ///   - slotsPerLane: the most of them for one receiver.
    ///   - send: one try. Nil when it was cut short by this program's own end: nobody knows how it went.
    init(
        _ channel: NotificationPolicy.Channel, slots: Int, slotsPerLane: Int, store: Deliveries,
        figures: NotifierFigures, logger: Logger,
        send: @escaping @Sendable (DueDelivery) async -> TriedDelivery?
    ) {
        self.channel = channel
        self.slots = slots
        self.slotsPerLane = slotsPerLane
        self.store = store
        self.figures = figures
        self.logger = logger
        self.send = send
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
                    logger.warning(
                        "due notifications could not be read", error: error,
                        metadata: ["channel": "\(channel)"])
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, Self.longestPause)
                }
            }
        }
        ticking.cancel()
    }

    /// Nil when nothing is due, or nothing more may be under way.
    private func claim() async throws -> [DueDelivery]? {
        let (free, busy) = underWay.withLock { (slots - $0.values.reduce(0, +), Set($0.keys)) }
        guard free > 0, !isStopping.load(ordering: .relaxed), !Task.isCancelled else { return nil }
        let due = try await store.claimDue(channel, limit: free, perLane: slotsPerLane, busy: busy)
        underWay.withLock { underWay in
            for delivery in due { underWay[delivery.lane, default: 0] += 1 }
        }
        return due.isEmpty ? nil : due
    }

    private func deliver(_ delivery: DueDelivery) async {
        defer { ended(delivery) }
        guard let tried = await send(delivery) else { return }
        figures.notified(channel, tried.result?.rawValue ?? "withdrawn")
        do {
            try await store.record(tried)
        } catch {
            logger.warning(
                "a delivery could not be written down; it is repeated under the same id", error: error,
                metadata: ["delivery": "\(delivery.id)", "run": "\(delivery.runID)"])
        }
    }

    private func ended(_ delivery: DueDelivery) {
        let isIdle = underWay.withLock { underWay in
            underWay[delivery.lane, default: 1] -= 1
            guard underWay[delivery.lane] == 0 else { return false }
            underWay[delivery.lane] = nil
            return true
        }
        if isIdle { wake() }
    }
}

extension Courier {
    /// Wakes those of the channels.
    static func wake(_ couriers: [Courier], _ channels: Set<NotificationPolicy.Channel>) {
        for courier in couriers where channels.contains(courier.channel) { courier.wake() }
    }
}
