/// Where the database is, and every limit of talking to it.
///
/// The address is a libpq one (`postgres://user:password@host/name?sslmode=verify-full` or
/// `host=… dbname=…`); what it leaves out libpq takes from its environment variables (`PGPASSWORD` …).
/// It may name several servers, a primary and its standbys (`postgres://…@one,two:5433/name`): the one that can be
/// written to is used, and found again after a failover.
/// Across a network use `sslmode=verify-full` with `sslrootcert=`: libpq's default `prefer` checks neither
/// certificate nor host name, and falls back to no encryption.
package struct PostgresConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    /// Holds the password: never log it.
    package var url: String
    /// What `pg_stat_activity` shows, unless the address names another.
    package var applicationName: String
    /// Connections, each with a thread; they open when first needed.
    package var poolSize = 4
    /// The most calls that wait for a connection; more are refused with `.poolExhausted`.
    package var waitLimit = 1_024
    /// How long a call waits for a connection before `.poolExhausted`.
    package var waitDeadline = Duration.seconds(10)
    /// How long the server works on one statement; 0 is without end.
    package var statementTimeout = Duration.seconds(15)
    /// How long the server waits for one lock; 0 is without end.
    package var lockTimeout = Duration.seconds(5)
    /// How long a transaction may do nothing before the server ends its session.
    package var idleInTransactionTimeout = Duration.seconds(30)
    /// How long a call waits for the server once it has a connection. Longer than the statement time-out,
    /// so that only a silent server runs into it: it costs the connection.
    package var clientDeadline = Duration.seconds(20)
    /// Whether a statement is planned once for whatever its parameters are. For processes that run the same few
    /// statements all day, where planning takes longer than running; not for lists with filters that may be absent.
    package var keepsPlans = false
    /// How long opening a connection may take; of an address with several servers, each that says nothing.
    package var connectTimeout = Duration.seconds(5)
    /// How long the server's machine may leave unacknowledged what was sent to it before the connection counts as
    /// lost. A busy server acknowledges; one that was cut off or switched off does not.
    package var silenceLimit = Duration.seconds(10)

    package init(url: String, applicationName: String = "tenantatlas") {
        self.url = url
        self.applicationName = applicationName
    }

    /// What is wrong with an address; `nil` when it can be used. It never quotes the address.
    package static func problem(of url: String) -> String? {
        do throws(PostgresError) {
            _ = try ConnectionSettings(PostgresConfiguration(url: url))
            return nil
        } catch {
            return error.message
        }
    }

    /// Without the address, which may hold the password.
    package var description: String { "PostgresConfiguration(\(applicationName), \(poolSize) connections)" }

    package var customMirror: Mirror { Mirror(self, children: ["applicationName": applicationName]) }
}
