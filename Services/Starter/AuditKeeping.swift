import JobRuntime
import Logging
import Store

/// Keeps the audit: partitions ahead of time, and seals over what was recorded. Any number of processes may do so.
struct AuditKeeping: Sendable {
    private static let partitionInterval = Duration.seconds(24 * 3_600)
    private static let partitionRetry = Duration.seconds(60)
    private static let sealInterval = Duration.seconds(1)

    let partitions: AuditPartitions
    let seals: AuditSeals
    let logger: Logger

    /// Works until the task is cancelled.
    func run() async {
        await withTaskGroup { group in
            group.addTask { await makePartitions() }
            group.addTask { await seal() }
            await group.waitForAll()
        }
    }

    private func makePartitions() async {
        while !Task.isCancelled {
            var pause = Self.partitionInterval
            do { try await partitions.make() } catch {
                pause = Self.partitionRetry
                complain("the audit's partitions could not be made", error)
            }
            try? await Task.sleep(for: pause)
        }
    }

    private func seal() async {
        while !Task.isCancelled {
            do { _ = try await seals.seal() } catch { complain("the audit could not be sealed", error) }
            try? await Task.sleep(for: Self.sealInterval)
        }
    }

    private func complain(_ message: Logger.Message, _ error: any Error) {
        if !Task.isCancelled { logger.warning(message, error: error) }
    }
}
