/// A unit whose messages were handed to libpq, and how far its replies have come.
///
/// The replies come in order: for each call the result of its preparation, if it was sent along, then its own
/// result, each closed by a null; at last the sync. A failed call makes the server skip the rest of the unit.
struct Flight {
    let unit: CallUnit
    /// The calls before which a preparation was sent.
    private let preparing: Set<Int>
    private var call = 0
    private var isPreparation: Bool
    private var stepSucceeded = false
    private var rows: [Rows] = []
    /// The first failure; later calls only report that they were skipped.
    private(set) var failure: PostgresError?
    /// The server ended the session exactly when it was to commit.
    private var endedAtCommit = false

    init(_ unit: CallUnit, preparing: Set<Int>) {
        self.unit = unit
        self.preparing = preparing
        isPreparation = preparing.contains(0)
        rows.reserveCapacity(unit.calls.count)
    }

    mutating func succeeded(_ result: ResultSet) {
        stepSucceeded = true
        if !isPreparation { rows.append(Rows(result)) }
    }

    /// `endsSession`: the server closes the connection after this error.
    mutating func failed(_ error: PostgresError, endsSession: Bool) {
        if failure == nil {
            failure = error
            endedAtCommit = endsSession && isAtCommitPoint
        }
    }

    /// Ends the step under way. Returns the statement that was being prepared, and whether it now is.
    mutating func stepEnded() -> (prepared: Statement, succeeded: Bool)? {
        guard call < unit.calls.count else { return nil }
        defer { stepSucceeded = false }
        if isPreparation {
            isPreparation = false
            guard case .prepared(let statement) = unit.calls[call].sql else { return nil }
            return (statement, stepSucceeded)
        }
        call += 1
        isPreparation = preparing.contains(call)
        return nil
    }

    /// The outcome, once the sync came.
    var outcome: Result<[Rows], PostgresError> {
        if let failure {
            return .failure(endedAtCommit ? Self.unknown(failure) : failure)
        }
        guard rows.count == unit.calls.count else {
            return .failure(PostgresError(.connection, "the server's replies are incomplete"))
        }
        return .success(rows)
    }

    /// The outcome, when the connection was lost for `cause` before the sync came.
    func outcome(lost cause: PostgresError) -> PostgresError {
        if let failure { return endedAtCommit ? Self.unknown(failure) : failure }
        return unit.commitPoint == .none ? cause : Self.unknown(cause)
    }

    private var isAtCommitPoint: Bool {
        switch unit.commitPoint {
        case .none: false
        case .sync: call == unit.calls.count
        case .lastCall: call >= unit.calls.count - 1 && !isPreparation
        }
    }

    private static func unknown(_ cause: PostgresError) -> PostgresError {
        PostgresError(.commitUnknown, "the reply to a commit was lost: \(cause.message)")
    }
}
