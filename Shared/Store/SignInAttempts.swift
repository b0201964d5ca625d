package import Postgres

/// Limits how often passwords are tried: counts attempts by whatever they are limited by, in windows of time.
package struct SignInAttempts: Sendable {
    /// What attempts are counted by, as a hash, and how many may be made in a window.
    package struct Limit: Sendable, Hashable {
        /// The SHA-256 of what it is about.
        package let subject: [UInt8]
        package let most: Int

        package init(subject: [UInt8], most: Int) {
            self.subject = subject
            self.most = most
        }
    }

    /// How long a window is, in seconds.
    package static let windowSeconds = 900

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let count: Statement = """
        INSERT INTO sign_in_attempts AS a (subject, count)
        SELECT s, 1 FROM unnest($1::bytea[]) AS s ORDER BY s
        ON CONFLICT (subject) DO UPDATE SET
            count = CASE WHEN a.since < clock_timestamp() - make_interval(secs => $2::float8) THEN 1 ELSE a.count + 1 END,
            since = CASE WHEN a.since < clock_timestamp() - make_interval(secs => $2::float8)
                         THEN clock_timestamp() ELSE a.since END
        RETURNING subject, count,
            ceil(extract(epoch FROM since - clock_timestamp()) + $2::float8)::int AS seconds_left
        """

    /// Counts one attempt, before the password is looked at: those at the same time count, too. Nil when it is within all
    /// limits; otherwise in how many seconds the next one is.
    package func count(_ limits: [Limit]) async throws -> Int? {
        let most = Dictionary(limits.map { ($0.subject, $0.most) }) { first, _ in first }
        let rows = try await pool.query(
            Self.count, [.byteArrays(Array(most.keys)), .double(Double(Self.windowSeconds))])
        var wait: Int?
        for row in rows where try row.int("count") > most[try row.bytes("subject")] ?? 0 {
            wait = max(wait ?? 1, try row.int("seconds_left"))
        }
        return wait
    }

    private static let forget: Statement = """
        DELETE FROM sign_in_attempts
        WHERE subject = $1::bytea OR since < clock_timestamp() - make_interval(secs => 2 * $2::float8)
        """

    /// Forgets the attempts of a subject that has shown the right password, and what is too old to count.
    package func forget(_ subject: [UInt8]) async throws {
        _ = try await pool.query(Self.forget, [.bytes(subject), .double(Double(Self.windowSeconds))])
    }
}
