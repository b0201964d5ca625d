import CLibPQ
import EventLoop
import Logging

/// A connection for migrations: one blocking statement after the other, on a thread of its own, outside of
/// pipeline mode, which does not take several statements in one text.
actor MigrationSession {
    /// The longest that one migration may take. A peer that is silent for longer is given up.
    private static let limitMilliseconds: UInt64 = 3_600_000

    private nonisolated let loop: LoopThread
    private let notices: Notices
    private let configuration: PostgresConfiguration
    private var handle: OpaquePointer?
    private var guardTicket: Int?

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Starts the thread. ``close()`` must end it; the session can't be used afterwards.
    init(_ configuration: PostgresConfiguration, logger: Logger) {
        var configuration = configuration
        // An index may take its time; only waiting for a lock stays limited.
        configuration.statementTimeout = .zero
        configuration.idleInTransactionTimeout = .zero
        self.configuration = configuration
        notices = Notices(logger: logger)
        loop = LoopThread(name: "migrations", parking: PollParking())
    }

    /// The statements of one text and where it failed, if it did.
    enum Execution {
        case done([ResultSet])
        case failed(ServerFailure, statement: Int)
    }

    func connect() throws(PostgresError) {
        let settings = try ConnectionSettings(configuration, isBlocking: true)
        handle = settings.withPointers { PQconnectdbParams($0, $1, 1) }
        guard let handle, PQstatus(handle) == CONNECTION_OK else {
            throw PostgresError(
                .connection, handle.map { oneLine(String(cString: PQerrorMessage($0))) } ?? "")
        }
        notices.attach(to: handle)
        guardTicket = Watchdog.shared.watch(
            PQsocket(handle), of: loop, limitMilliseconds: Self.limitMilliseconds)
    }

    /// Runs a text of one or more statements up to the first failure.
    func execute(_ text: String) throws(PostgresError) -> Execution {
        guard !text.utf8.contains(0) else { throw PostgresError(.parameter, "the SQL contains a NUL") }
        guard PQsendQuery(handle, text) == 1 else { throw broken() }
        return try collect()
    }

    /// Runs one statement with parameters, and throws its failure.
    func query(_ statement: Statement, _ parameters: [Parameter] = []) throws(PostgresError) -> Rows {
        let parameters = try EncodedParameters(parameters)
        let isSent = parameters.withPointers { pointers in
            statement.withCString {
                PQsendQueryParams(
                    handle, $0, pointers.count, nil, pointers.values, pointers.lengths, pointers.formats, 1)
                    == 1
            }
        }
        guard isSent else { throw broken() }
        switch try collect() {
        case .done(let results):
            guard let result = results.last else { throw broken() }
            return Rows(result)
        case .failed(let failure, _): throw failure.error
        }
    }

    /// Whether a transaction is open and unharmed.
    var isInTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INTRANS }

    /// Ends the session and its thread. Locks and an open transaction end with it.
    func close() {
        if let guardTicket { Watchdog.shared.release(guardTicket) }
        if let handle { PQfinish(handle) }
        handle = nil
        loop.stop()
    }

    private func collect() throws(PostgresError) -> Execution {
        var results: [ResultSet] = []
        var failed: Execution?
        while let pointer = PQgetResult(handle) {
            switch PQresultStatus(pointer) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                results.append(ResultSet(pointer))
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                PQclear(pointer)
                throw PostgresError(.configuration, "COPY from or to the client can't be used in a migration")
            default:
                let failure = ServerFailure(pointer)
                PQclear(pointer)
                if failure.sqlState == nil { throw failure.error }
                failed = failed ?? .failed(failure, statement: results.count + 1)
            }
        }
        return failed ?? .done(results)
    }

    private func broken() -> PostgresError {
        let reason = handle.map { oneLine(String(cString: PQerrorMessage($0))) } ?? "not connected"
        return PostgresError(.connection, reason)
    }
}
