package import Logging
internal import ServiceKit
package import Store

/// The chores that keep the system right when processes or the broker were lost. Runs in the starter; any number
/// may run at once, since each chore takes its rows with locks.
package struct Maintenance: Sendable {
    /// How often lost workers and their runs are looked for.
    private static let repairInterval = Duration.seconds(1)
    /// How often queued runs without a message are looked for.
    private static let reminderInterval = Duration.seconds(30)

    private let repair: RunRepair
    private let reminderSeconds: Double
    private let publish: @Sendable ([PendingMessage]) -> Void
    private let figures: RepairFigures
    private let logger: Logger

    /// `reminderSeconds`: how long after it was queued or due a run is rung for again.
    package init(
        repair: RunRepair, reminderSeconds: Double, publish: @escaping @Sendable ([PendingMessage]) -> Void,
        figures: RepairFigures, logger: Logger
    ) {
        self.repair = repair
        self.reminderSeconds = reminderSeconds
        self.publish = publish
        self.figures = figures
        self.logger = logger
    }

    /// Works until the task is cancelled.
    package func run() async {
        await withTaskGroup { group in
            group.addTask {
                var grace = OutageGrace()
                await every(Self.repairInterval) { try await repairLost(&grace) }
            }
            group.addTask { await every(Self.reminderInterval) { try await remind() } }
            await group.waitForAll()
        }
    }

    private func repairLost(_ grace: inout OutageGrace) async throws {
        let ended = grace.mayJudge(at: .now) ? try await repair.endLostWorkers() : 0
        if ended > 0 {
            figures.workers.add(ended)
            logger.warning("workers were lost", metadata: ["count": "\(ended)"])
        }
        while true {
            let messages = try await repair.repairOrphans() + repair.repairOrphanedChunks()
            publish(messages)
            if messages.isEmpty { break }
            figures.runs.add(messages.count)
            logger.info("runs were repaired", metadata: ["count": "\(messages.count)"])
        }
        let inDoubt = try await repair.resolvePermits()
        grace.answered(at: .now)
        if inDoubt > 0 {
            figures.calls.add(inDoubt)
            logger.warning("calls ended in doubt", metadata: ["count": "\(inDoubt)"])
        }
    }

    private func remind() async throws {
        let count = try await repair.remind(after: reminderSeconds)
        if count > 0 {
            figures.reminders.add(count)
            logger.info("queued runs were rung for again", metadata: ["count": "\(count)"])
        }
    }

    private func every(_ interval: Duration, _ chore: () async throws -> Void) async {
        while !Task.isCancelled {
            do { try await chore() } catch is CancellationError { return } catch {
                logger.warning("a chore failed; it is tried again", error: error)
            }
            try? await Task.sleep(for: interval)
        }
    }
}
