/// One statement with its values, ready to be sent.
struct Call: Sendable {
    enum SQL: Sendable {
        /// Prepared on first use.
        case prepared(Statement)
        /// Parsed each time. For the few texts that the module itself makes (`LISTEN`).
        case once(String)
    }

    let sql: SQL
    let parameters: EncodedParameters

    init(_ statement: Statement, _ parameters: [Parameter] = []) throws(PostgresError) {
        sql = .prepared(statement)
        self.parameters = try EncodedParameters(parameters)
    }

    init(withoutParameters statement: Statement) {
        sql = .prepared(statement)
        parameters = .none
    }

    init(once text: String) {
        sql = .once(text)
        parameters = .none
    }

    /// Whether losing the reply leaves nothing in doubt.
    var onlyReads: Bool {
        if case .prepared(let statement) = sql { statement.onlyReads } else { true }
    }
}

/// Statements that go out together and end with one sync: all of them take effect, or none.
struct CallUnit: Sendable {
    /// Where the unit makes its changes last; a reply lost from there on leaves the outcome unknown.
    enum CommitPoint: Sendable {
        /// It commits nothing.
        case none
        /// At its end: without BEGIN, the server commits at the sync.
        case sync
        /// Its last statement is COMMIT.
        case lastCall
    }

    /// What the unit is to a leased connection's transaction.
    enum Part: Sendable, Equatable {
        case alone
        /// Starts with BEGIN: opens the lease's transaction on whatever session there is.
        case first(lease: Int)
        /// Belongs into the transaction that the lease has open, and to no other session.
        case inside(lease: Int)
        /// Ends it, if it succeeds.
        case last(lease: Int)
    }

    let calls: [Call]
    let part: Part
    let commitPoint: CommitPoint
    /// On the monotonic clock, in nanoseconds.
    let deadline: UInt64
    let reply: CheckedContinuation<Result<[Rows], PostgresError>, Never>
}
