import Synchronization

/// The messages of one publish call and what became of each. Its waiter goes on when the last is known, or
/// when the batch is ended: by its deadline, by the loss of the connection, or by closing.
final class PublishBatch: Sendable {
    private struct Progress {
        var outcomes: [PublishOutcome?]
        /// Messages up to here were written, or can't be.
        var written = 0
        var missing: Int
        var waiter: CheckedContinuation<[PublishOutcome], Never>?
    }

    let messages: [OutgoingMessage]
    /// About its bytes on the wire.
    let size: Int
    let deadline: ContinuousClock.Instant
    private let progress: Mutex<Progress>

    init(
        _ messages: [OutgoingMessage], deadline: ContinuousClock.Instant,
        waiter: CheckedContinuation<[PublishOutcome], Never>
    ) {
        self.messages = messages
        size = messages.reduce(0) { $0 + $1.approximateSize }
        self.deadline = deadline
        let outcomes = messages.map { message in message.fault.map { PublishOutcome.invalid(reason: $0) } }
        let missing = outcomes.count { $0 == nil }
        progress = Mutex(Progress(outcomes: outcomes, missing: missing, waiter: waiter))
        progress.withLock { Self.finish(&$0) }
    }

    /// The message to write next, which counts as written from now on: a batch that ends meanwhile must not
    /// say that it was not sent. `nil` when there is none left, or the batch has ended, or `hasRoom` refuses
    /// its size; ``isWritten`` tells.
    func claimNext(where hasRoom: (Int) -> Bool) -> Int? {
        progress.withLock { progress in
            guard progress.waiter != nil else { return nil }
            guard let index = progress.outcomes[progress.written...].firstIndex(where: { $0 == nil }),
                hasRoom(messages[index].approximateSize)
            else { return nil }
            progress.written = index + 1
            return index
        }
    }

    /// True when no message is left to write.
    var isWritten: Bool {
        progress.withLock { progress in
            progress.waiter == nil || !progress.outcomes[progress.written...].contains { $0 == nil }
        }
    }

    func settle(_ index: Int, _ outcome: PublishOutcome) {
        progress.withLock { progress in
            guard progress.waiter != nil, progress.outcomes[index] == nil else { return }
            progress.outcomes[index] = outcome
            progress.missing -= 1
            Self.finish(&progress)
        }
    }

    /// Ends the batch: what was not written was not sent, what has no answer is unknown.
    func end(_ reason: String) {
        progress.withLock { progress in
            for index in progress.outcomes.indices where progress.outcomes[index] == nil {
                progress.outcomes[index] =
                    index < progress.written ? .unknown(reason: reason) : .notSent(reason: reason)
            }
            progress.missing = 0
            Self.finish(&progress)
        }
    }

    var isFinished: Bool { progress.withLock { $0.waiter == nil } }

    private static func finish(_ progress: inout Progress) {
        guard progress.missing == 0, let waiter = progress.waiter else { return }
        progress.waiter = nil
        waiter.resume(returning: progress.outcomes.compactMap(\.self))
    }
}
