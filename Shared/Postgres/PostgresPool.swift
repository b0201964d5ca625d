import Logging
import Synchronization

/// A few connections to one database, shared by any number of tasks.
///
/// Autocommit calls are pipelined: many are under way on one connection, each a transaction of its own.
/// ``transaction(isolation:_:)`` leases a connection. A call behind a slow statement on the same connection
/// waits for it, so keep what waits for locks inside transactions.
///
/// Connections open when first needed, and again after a loss. End a pool with ``close()``.
package final class PostgresPool: Sendable {
    private struct State {
        var seats: PoolSeats
        var nextID = 0
        var isClosed = false
        var continuations: [Int: CheckedContinuation<Int, any Error>] = [:]
        /// Who closes the pool and waits for the calls under way.
        var idleWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let connections: [PostgresConnection]
    private let configuration: PostgresConfiguration
    private let state: Mutex<State>

    /// Starts the threads; the first call connects. Traps unless the pool size is 1 to 64.
    package init(_ configuration: PostgresConfiguration, logger: Logger) {
        precondition((1...64).contains(configuration.poolSize), "a pool has 1 to 64 connections")
        self.configuration = configuration
        connections = (1...configuration.poolSize).map {
            PostgresConnection(configuration, name: "postgres-\($0)", logger: logger)
        }
        let seats = PoolSeats(count: configuration.poolSize, waitLimit: configuration.waitLimit)
        state = Mutex(State(seats: seats))
    }

    deinit { for connection in connections { connection.close() } }

    // MARK: Calls

    /// Runs one statement as a transaction of its own, in one round trip.
    ///
    /// A reading statement whose reply is lost fails with `.connection` or `.deadline`; any other with
    /// `.commitUnknown`. Reading is what begins with SELECT, VALUES or SHOW: a SELECT that calls a function
    /// with lasting effects belongs into a transaction.
    package func query(_ statement: Statement, _ parameters: [Parameter] = []) async throws -> Rows {
        try await run([Call(statement, parameters)])[0]
    }

    /// Runs several statements as one transaction, in one round trip. The first failure is thrown, and then
    /// none of them has happened.
    package func pipeline(_ calls: [(Statement, [Parameter])]) async throws -> [Rows] {
        if calls.isEmpty { return [] }
        return try await run(calls.map { statement, parameters in try Call(statement, parameters) })
    }

    private func run(_ calls: [Call]) async throws -> [Rows] {
        let commit: CallUnit.CommitPoint = calls.allSatisfy(\.onlyReads) ? .none : .sync
        let seat = try await takeSeat(.share)
        let outcome = await connections[seat].run(calls, commit: commit)
        giveBack(seat, .share)
        return try outcome.get()
    }

    /// Runs `body` in a transaction (READ COMMITTED) on a connection of its own.
    ///
    /// BEGIN goes out with the first call, COMMIT with what was enqueued; a body that calls nothing costs
    /// nothing. When `body` throws, or a call failed, the transaction is rolled back and the error thrown.
    /// `.commitUnknown` when the connection is lost while committing. Cancellation while waiting for a
    /// connection throws `CancellationError`; a running statement is left to its deadline.
    package func transaction<R>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (Transaction) async throws -> R
    ) async throws -> R {
        let seat = try await takeSeat(.lease)
        defer { giveBack(seat, .lease) }
        let transaction = Transaction(connections[seat], lease: newID())
        do {
            let result = try await body(transaction)
            try await transaction.commit()
            return result
        } catch {
            await transaction.rollBack()
            throw error
        }
    }

    /// Refuses further calls, lets those under way end (no longer than the client's deadline), closes the
    /// connections and ends their threads.
    package func close() async {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.continuations = [:] }
            for id in state.continuations.keys { _ = state.seats.forget(id) }
            return state.continuations.values.map { $0 }
        }
        for waiter in waiters { waiter.resume(throwing: Self.closed) }
        await waitUntilIdle()
        for connection in connections { connection.close() }
        for connection in connections { await connection.waitUntilClosed() }
    }

    private func waitUntilIdle() async {
        let timeLimit = Task { [configuration] in
            try await Task.sleep(for: configuration.clientDeadline)
            resumeIdleWaiters { _ in true }
        }
        defer { timeLimit.cancel() }
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if !state.seats.isIdle { state.idleWaiters.append(continuation) }
                return state.seats.isIdle
            }
            if isIdle { continuation.resume() }
        }
    }

    private func resumeIdleWaiters(when isDue: (PoolSeats) -> Bool) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard !state.idleWaiters.isEmpty, isDue(state.seats) else { return [] }
            defer { state.idleWaiters = [] }
            return state.idleWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: Seats

    private static let closed = PostgresError(.closed, "the pool is closed")

    private func takeSeat(_ wish: PoolSeats.Wish) async throws -> Int {
        let seat = try state.withLock { state in
            if state.isClosed { throw Self.closed }
            return state.seats.take(wish, hasTrouble: hasTrouble)
        }
        if let seat { return seat }
        return try await waitForSeat(wish, id: newID())
    }

    private func waitForSeat(_ wish: PoolSeats.Wish, id: Int) async throws -> Int {
        let timeLimit = Task { [configuration] in
            try await Task.sleep(for: configuration.waitDeadline)
            giveUp(id, Self.exhausted("no connection became free within \(configuration.waitDeadline)"))
        }
        defer { timeLimit.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { queue($0, wish, id) }
        } onCancel: {
            giveUp(id, CancellationError())
        }
    }

    private func queue(_ continuation: CheckedContinuation<Int, any Error>, _ wish: PoolSeats.Wish, _ id: Int)
    {
        let answer: Result<Int, any Error>? = state.withLock { state in
            // A cancellation before this point found nothing to forget.
            if Task.isCancelled { return .failure(CancellationError()) }
            if state.isClosed { return .failure(Self.closed) }
            // A seat may have become free since the first look.
            if let seat = state.seats.take(wish, hasTrouble: hasTrouble) { return .success(seat) }
            guard state.seats.wait(id, for: wish) else {
                return .failure(Self.exhausted("\(state.seats.waiting) calls wait already"))
            }
            state.continuations[id] = continuation
            return nil
        }
        if let answer { continuation.resume(with: answer) }
    }

    private func giveUp(_ id: Int, _ error: any Error) {
        let waiter = state.withLock { state in
            state.seats.forget(id) ? state.continuations.removeValue(forKey: id) : nil
        }
        waiter?.resume(throwing: error)
    }

    private func giveBack(_ seat: Int, _ wish: PoolSeats.Wish) {
        let (seated, isClosed) = state.withLock { state in
            let seated = state.seats.giveBack(seat, wish, hasTrouble: hasTrouble).map { id, seat in
                (waiter: state.continuations.removeValue(forKey: id), seat: seat)
            }
            return (seated, state.isClosed)
        }
        for (waiter, seat) in seated { waiter?.resume(returning: seat) }
        if isClosed { resumeIdleWaiters(when: \.isIdle) }
    }

    private func newID() -> Int {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }

    private func hasTrouble(_ seat: Int) -> Bool {
        let retryAt = connections[seat].retryAt.load(ordering: .relaxed)
        return retryAt != 0 && retryAt > Clock.now()
    }

    private static func exhausted(_ message: String) -> PostgresError {
        PostgresError(.poolExhausted, message)
    }
}
