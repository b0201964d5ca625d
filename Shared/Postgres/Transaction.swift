import Synchronization

/// A transaction under way, on a connection of its own. Made by ``PostgresPool/transaction(isolation:_:)``;
/// it must not be used after the closure returned.
package final class Transaction: Sendable {
    private enum Phase {
        /// Nothing was sent yet, not even BEGIN.
        case untouched
        case open
        /// A call failed; while the transaction is open, the server refuses everything but ROLLBACK.
        case failed(PostgresError, isOpen: Bool)
        case over
    }

    private struct State {
        var phase = Phase.untouched
        var enqueued: [Call] = []
    }

    private static let beginCall = Call(withoutParameters: "BEGIN")
    private static let commitCall = Call(withoutParameters: "COMMIT")
    private static let rollbackCall = Call(withoutParameters: "ROLLBACK")

    private let connection: PostgresConnection
    private let lease: Int
    private let state = Mutex(State())

    init(_ connection: PostgresConnection, lease: Int) {
        self.connection = connection
        self.lease = lease
    }

    /// Runs one statement and waits for its rows. What was enqueued before it goes out first.
    package func query(_ statement: Statement, _ parameters: [Parameter] = []) async throws -> Rows {
        try await run([Call(statement, parameters)])[0]
    }

    /// Runs several statements in one round trip. After a failure the transaction can only be rolled back,
    /// and each further call throws the first error again.
    package func pipeline(_ calls: [(Statement, [Parameter])]) async throws -> [Rows] {
        if calls.isEmpty { return [] }
        return try await run(calls.map { statement, parameters in try Call(statement, parameters) })
    }

    /// Sends a statement with the next call or, if there is none, with COMMIT: it costs no round trip. Its
    /// rows are dropped; its failure fails the call that it goes with. Throws `.parameter` at once.
    package func enqueue(_ statement: Statement, _ parameters: [Parameter] = []) throws {
        let call = try Call(statement, parameters)
        try state.withLock { state in
            switch state.phase {
            case .untouched, .open: state.enqueued.append(call)
            case .failed(let error, _): throw error
            case .over: throw Self.over
            }
        }
    }

    /// Runs the last statement in the same round trip as COMMIT: when this returns, all has been committed,
    /// and nothing can undo it any more, not even a body that throws. No other call may follow.
    package func finish(_ statement: Statement, _ parameters: [Parameter] = []) async throws -> Rows {
        try await commit(with: Call(statement, parameters)).first!
    }

    // MARK: Steps

    private static let over = PostgresError(.closed, "the transaction is over")

    private func run(_ calls: [Call]) async throws(PostgresError) -> [Rows] {
        let (rows, before) = try await send(calls, commits: false)
        return Array(rows.dropFirst(before))
    }

    /// Commits, unless ``finish(_:_:)`` has. A transaction that failed before throws that failure.
    func commit() async throws(PostgresError) {
        let isFinished = state.withLock { if case .over = $0.phase { true } else { false } }
        if !isFinished { _ = try await commit(with: nil) }
    }

    /// Returns the rows of `last`, if it is given.
    private func commit(with last: Call?) async throws(PostgresError) -> ArraySlice<Rows> {
        let calls = last.map { [$0] } ?? []
        if let enqueued = takeIfUntouched() {
            return try await commitWhole(enqueued + calls).suffix(calls.count)
        }
        let (rows, _) = try await send(calls + [Self.commitCall], commits: true)
        guard rows.last?.commandTag == "COMMIT" else {
            throw PostgresError(.connection, "the server rolled back where it was to commit")
        }
        state.withLock { $0.phase = .over }
        return rows.dropLast().suffix(calls.count)
    }

    /// What was enqueued, if nothing was sent before: it is a transaction by itself and needs no BEGIN.
    private func takeIfUntouched() -> [Call]? {
        state.withLock { state in
            guard case .untouched = state.phase else { return nil }
            state.phase = .over
            return state.enqueued
        }
    }

    private func commitWhole(_ calls: [Call]) async throws(PostgresError) -> [Rows] {
        if calls.isEmpty { return [] }
        do throws(PostgresError) {
            return try await connection.run(calls, as: .alone, commit: .sync).get()
        } catch {
            state.withLock { $0.phase = .failed(error, isOpen: false) }
            throw error
        }
    }

    /// Sends `calls` behind what has to go out first. Returns the rows of all, and how many come before.
    private func send(
        _ calls: [Call], commits: Bool
    ) async throws(PostgresError) -> (rows: [Rows], before: Int) {
        var before = 0
        let outcome = await withCheckedContinuation { continuation in
            // Under one lock with the posting: of two calls at once, the one with BEGIN is posted first.
            state.withLock { state in
                do throws(PostgresError) {
                    let (earlier, part) = try takeBefore(&state, commits: commits)
                    before = earlier.count
                    connection.post(
                        earlier + calls, as: part, commit: commits ? .lastCall : .none, to: continuation)
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        if case .failure(let error) = outcome {
            state.withLock { if case .open = $0.phase { $0.phase = .failed(error, isOpen: true) } }
        }
        return (try outcome.get(), before)
    }

    /// What goes out before the next calls: BEGIN the first time, then what was enqueued.
    private func takeBefore(
        _ state: inout State, commits: Bool
    ) throws(PostgresError) -> (calls: [Call], part: CallUnit.Part) {
        defer { state.enqueued = [] }
        switch state.phase {
        case .untouched:
            state.phase = .open
            return ([Self.beginCall] + state.enqueued, .first(lease: lease))
        case .open: return (state.enqueued, commits ? .last(lease: lease) : .inside(lease: lease))
        case .failed(let error, _): throw error
        case .over: throw Self.over
        }
    }

    /// Rolls back what is open. Does not fail: a connection that can't is closed, which rolls back as well.
    func rollBack() async {
        let isOpen = state.withLock { state in
            defer { state.phase = .over }
            return switch state.phase {
            case .open, .failed(_, isOpen: true): true
            case .untouched, .over, .failed(_, isOpen: false): false
            }
        }
        if isOpen { _ = await connection.run([Self.rollbackCall], as: .last(lease: lease)) }
    }
}
