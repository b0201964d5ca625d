import FoundationEssentials
import Graph
import Operations
import Store

/// A bulk run. Begun as a whole it freezes what is to be changed and is divided; begun as a chunk it changes the
/// chunk's items one after the other. Several consumers work on the chunks of a run at once.
struct BulkRun: Sendable {
    /// The longest that an item waits for its turn to write, in seconds. Whoever would wait longer gives the chunk back.
    private static let longestWait = 30.0

    let gateway: GraphGateway
    let division: RunDivision
    let items: ChunkItems
    let budget: WriteBudget
    let change: @Sendable (BulkParameters) -> (any BulkChange)?

    /// Executes one attempt of a run or of a chunk. Throws the database's errors and cancellation.
    func execute(_ permit: ExecutionPermit) async throws -> ExecutionResult {
        guard
            let parameters = try? BulkParameters(permit.execution.parameters, for: permit.definition.type),
            let change = change(parameters)
        else { return .failed(.internalError, SummaryCounts()) }
        do {
            let session = try await gateway.session(under: permit)
            return permit.chunk == nil
                ? try await divide(permit, parameters, change, session)
                : try await work(permit, change, session)
        } catch {
            if let failure = error as? GraphFailure, failure.failure == .throttled,
                let seconds = failure.retryAfterSeconds
            {
                // What the provider asked for holds for all who write to the tenant.
                try await budget.pause(permit.execution.tenantID, seconds: seconds)
            }
            let result = await ExecutionResult(endingWith: error) { SummaryCounts() }
            guard let result else { throw error }
            return result
        }
    }

    private func divide(
        _ permit: ExecutionPermit, _ parameters: BulkParameters, _ change: any BulkChange,
        _ session: GraphSession
    ) async throws -> ExecutionResult {
        try await change.check(session)
        switch try await division.divide(parameters.selection, under: permit) {
        case .divided: return .divided
        case .nothing(let counts): return .completed(counts)
        case .tooMany: return .failed(.invalidRequest, SummaryCounts())
        case .stale: throw CallRefusal.attemptLost
        }
    }

    // MARK: a chunk

    private func work(
        _ permit: ExecutionPermit, _ change: any BulkChange, _ session: GraphSession
    ) async throws -> ExecutionResult {
        var counts = SummaryCounts()
        for item in try await items.open(of: permit) {
            if item.isInDoubt, try await isSettled(item.key, permit, change, session) { continue }
            let wait = try await budget.reserve(permit.execution.tenantID)
            guard wait <= Self.longestWait else {
                return .failed(.throttled, SummaryCounts(), retryAfterSeconds: wait)
            }
            try await Task.sleep(for: .seconds(wait))
            // A stop of the process tears no write off: what has begun is brought to its result.
            let isKnown = try await Task { try await apply(item.key, permit, change, session) }.value
            // To be looked up by the next attempt, when nothing of the call is on the wire any more.
            if !isKnown { counts[.inDoubt] += 1 }
            try Task.checkCancellation()
        }
        return .completed(counts)
    }

    /// Looks up what came of an earlier attempt's write. False when it was not done, and is to be.
    private func isSettled(
        _ id: String, _ permit: ExecutionPermit, _ change: any BulkChange, _ session: GraphSession
    ) async throws -> Bool {
        let wasDone: Bool?
        do {
            wasDone = try await change.wasDone(id, session)
        } catch let failure as GraphFailure where Self.concernsOneItem(failure) {
            wasDone = nil
        }
        if wasDone == true { try await items.record(id, .applied, "looked_up", under: permit) }
        return wasDone != false
    }

    /// Changes one item. False when nobody knows whether it was done and the provider may tell later.
    private func apply(
        _ id: String, _ permit: ExecutionPermit, _ change: any BulkChange, _ session: GraphSession
    ) async throws -> Bool {
        do {
            switch try await change.plan(id, session) {
            case .leave(let result):
                try await items.record(id, result.state, result.word, under: permit)
                return true
            case .write(let method, let path, let body):
                // Written down before it is sent: whoever goes on after us knows of it.
                try await items.record(id, .inDoubt, under: permit)
                do {
                    _ = try await session.write(method, path, body)
                } catch {
                    if !Self.mayHaveBeenDone(error) {
                        try await items.record(id, .untouched, under: permit)
                    }
                    throw error
                }
                try await items.record(id, .applied, under: permit)
                return true
            }
        } catch let failure as GraphFailure where failure.failure == .unknownOutcome {
            return false
        } catch let failure as GraphFailure where failure.failure == .notFound {
            try await items.record(id, change.whenMissing.state, change.whenMissing.word, under: permit)
            return true
        } catch let failure as GraphFailure where Self.concernsOneItem(failure) {
            try await items.record(id, .failed, failure.failure.rawValue, under: permit)
            return true
        }
    }

    private static func mayHaveBeenDone(_ error: any Error) -> Bool {
        switch error {
        case let failure as GraphFailure: failure.failure == .unknownOutcome
        case CallRefusal.denied, CallRefusal.cancelled, CallRefusal.attemptLost: false
        // A call that was torn off.
        default: error is CancellationError
        }
    }

    private static func concernsOneItem(_ failure: GraphFailure) -> Bool {
        switch failure.failure {
        case .notFound, .invalidRequest, .conflict, .answerTooLarge: true
        default: false
        }
    }
}
