import CLibPQ

/// What a failed result of libpq says.
struct ServerFailure {
    /// `nil` when libpq itself made the result, because the connection broke.
    let sqlState: String?
    let message: String
    let hint: String?
    let constraint: String?
    /// From 1, in characters of the text that was sent.
    let position: Int?
    /// The server closes the connection after this error.
    let endsSession: Bool
    /// A prepared statement was planned for a table that has changed since: it fails until it is prepared
    /// again.
    let isStalePlan: Bool
    /// The server takes no changes: it was made read-only, or became a standby behind a proxy. A new session finds the
    /// one that does.
    let isReadOnlyServer: Bool

    /// Reads the fields; the result still belongs to the caller.
    init(_ result: OpaquePointer) {
        func field(_ code: Int32) -> String? {
            PQresultErrorField(result, code).map { String(cString: $0) }
        }
        sqlState = field(pq_field_sqlstate)
        message = field(pq_field_message) ?? oneLine(String(cString: PQresultErrorMessage(result)))
        hint = field(pq_field_hint)
        constraint = field(pq_field_constraint)
        position = field(pq_field_position).flatMap { Int($0) }
        let severity = field(pq_field_severity)
        endsSession = severity == "FATAL" || severity == "PANIC"
        isReadOnlyServer = sqlState == "25006"
        isStalePlan = sqlState == "26000" || field(pq_field_source_function) == "RevalidateCachedQuery"
    }

    var error: PostgresError {
        guard let sqlState else { return PostgresError(.connection, message) }
        // A stale plan is mended by a new session; 26000 says so to the caller's retry.
        return PostgresError(.server(isStalePlan ? "26000" : sqlState), message, constraint: constraint)
    }
}
