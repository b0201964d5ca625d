import CLibPQ

/// Why a database call failed.
///
/// ``message`` is the server's or libpq's primary line. It holds neither the statement, nor parameters, nor
/// the detail line, in which the server repeats row values.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// The server refused; the five characters are its SQLSTATE.
        case server(String)
        /// No connection, or it was lost before the call had an effect that lasts.
        case connection
        /// No reply within the client's deadline. The connection was closed; nothing was committed.
        case deadline
        /// The reply to a commit was lost: it may have happened or not. Look before repeating it.
        case commitUnknown
        /// No connection of the pool became free in time, or too many calls wait already.
        case poolExhausted
        /// The pool, listener or transaction was over before the call.
        case closed
        /// A result does not have the column, the type or the value that was asked for.
        case decoding
        /// A parameter can't be sent.
        case parameter
        /// The database address or a migration is wrong; repeating it does not help.
        case configuration
    }

    package let kind: Kind
    package let message: String
    /// The violated constraint, when the server named one.
    package let constraint: String?

    init(_ kind: Kind, _ message: String, constraint: String? = nil) {
        self.kind = kind
        self.message = message
        self.constraint = constraint
    }

    /// The server's SQLSTATE, when it was the server that refused.
    package var sqlState: String? {
        if case .server(let state) = kind { state } else { nil }
    }

    /// Whether the same call, repeated after a pause, may succeed without anything being done twice.
    package var isRetryable: Bool {
        switch kind {
        case .server(let state): Self.isRetryable(sqlState: state)
        case .connection, .deadline, .poolExhausted: true
        case .commitUnknown, .closed, .decoding, .parameter, .configuration: false
        }
    }

    package var description: String {
        switch kind {
        case .server(let state): "PostgreSQL \(state): \(message)"
        default: "PostgreSQL \(kind): \(message)"
        }
    }

    /// What passes by itself: conflicts (40), a lock or a statement that took too long, a server that stops,
    /// starts, is full or has become read-only (failover), a session it ended, a lost connection (08).
    private static func isRetryable(sqlState: String) -> Bool {
        let single: Set<String> = [
            "40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "57P05", "25P03", "25006", "26000",
        ]
        return single.contains(sqlState) || sqlState.hasPrefix("08") || sqlState.hasPrefix("53")
    }
}
