internal import Postgres

/// Gathers what arrives while the last commit is under way into the next one.
///
/// There is no timer: a lone item is flushed at once, and under load the batches grow by themselves. When a
/// batch fails on the server, it is split until the bad item stands alone, so that one bad row never fails the
/// others. A lost connection or an unknown commit fails the whole batch: those say nothing about single rows.
package actor GroupCommit<Item: Sendable, Outcome: Sendable> {
    private struct Submission {
        let items: [Item]
        let continuation: CheckedContinuation<[Result<Outcome, any Error>], Never>
    }

    private let limit: Int
    private let flush: @Sendable ([Item]) async throws -> [Outcome]
    private var waiting: [Submission] = []
    private var isFlushing = false

    /// `flush` commits a batch of at most about `limit` items (a submission is never torn apart) and returns
    /// one outcome per item, in order.
    package init(limit: Int = 500, flush: @escaping @Sendable ([Item]) async throws -> [Outcome]) {
        self.limit = limit
        self.flush = flush
    }

    /// Commits one item with whatever else is there.
    package func submit(_ item: Item) async throws -> Outcome {
        try await submit([item])[0].get()
    }

    /// Commits several items, each with its own outcome, in order.
    package func submit(_ items: [Item]) async -> [Result<Outcome, any Error>] {
        guard !items.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            waiting.append(Submission(items: items, continuation: continuation))
            if !isFlushing {
                isFlushing = true
                Task { await self.drain() }
            }
        }
    }

    private func drain() async {
        while !waiting.isEmpty {
            let batch = nextBatch()
            var outcomes = await Self.commit(batch.flatMap(\.items)[...], flush)[...]
            for submission in batch {
                submission.continuation.resume(returning: Array(outcomes.prefix(submission.items.count)))
                outcomes = outcomes.dropFirst(submission.items.count)
            }
        }
        isFlushing = false
    }

    private func nextBatch() -> [Submission] {
        var size = 0
        let count = waiting.prefix { submission in
            defer { size += submission.items.count }
            return size < limit
        }.count
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }

    private static func commit(
        _ items: ArraySlice<Item>, _ flush: @Sendable ([Item]) async throws -> [Outcome], tries: Int = 3
    ) async -> [Result<Outcome, any Error>] {
        do {
            let outcomes = try await flush(Array(items))
            precondition(outcomes.count == items.count, "a flush answers every item")
            return outcomes.map { .success($0) }
        } catch {
            guard let failure = error as? PostgresError, case .server = failure.kind else {
                return items.map { _ in .failure(error) }
            }
            // A deadlock or a serialisation failure is nobody's fault: the same batch goes again.
            if failure.isRetryable, tries > 1 { return await commit(items, flush, tries: tries - 1) }
            guard items.count > 1 else { return [.failure(error)] }
            let middle = items.startIndex + items.count / 2
            let first = await commit(items[..<middle], flush)
            return await first + commit(items[middle...], flush)
        }
    }
}
