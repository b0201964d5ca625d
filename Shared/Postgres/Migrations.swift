import Logging

/// Brings a database's schema to the state that a program needs.
///
/// Applied migrations are recorded in `schema_migrations` with the SHA-256 of their text. Each runs in a
/// transaction of its own, all of them under one advisory lock: of two programs that start at once, one
/// applies and the other then finds nothing to do.
package enum Migrations {
    /// The key of the advisory lock: any constant that no one else uses.
    private static let lockKey = 7_236_401_954_117_002

    /// Applies what is pending, in order, and returns it. What came before a failure stays applied.
    ///
    /// Throws `.configuration` for a gap, for an applied migration whose text changed, and for a database that
    /// is ahead of `migrations`; a failure of the SQL names the migration, the SQLSTATE and the place.
    package static func apply(
        _ migrations: [Migration], to configuration: PostgresConfiguration, logger: Logger
    ) async throws -> [Migration] {
        try await withSession(configuration, logger) { session in
            try await prepare(session)
            let pending = try await plan(migrations, session, allowsNewer: false).pending
            for migration in pending {
                let start = Clock.now()
                try await apply(migration, session)
                let milliseconds = (Clock.now() - start) / 1_000_000
                logger.info(
                    "migration applied",
                    metadata: ["migration": "\(migration.title)", "milliseconds": "\(milliseconds)"])
            }
            return pending
        }
    }

    /// What ``apply(_:to:logger:)`` would apply now; changes nothing. A database that is ahead of `migrations`
    /// is no error here: while versions change, older programs meet a newer schema.
    package static func pending(
        _ migrations: [Migration], in configuration: PostgresConfiguration, logger: Logger
    ) async throws -> [Migration] {
        try await withSession(configuration, logger) { session in
            try await plan(migrations, session, allowsNewer: true).pending
        }
    }

    private static func withSession<R: Sendable>(
        _ configuration: PostgresConfiguration, _ logger: Logger,
        _ body: (MigrationSession) async throws -> R
    ) async throws -> R {
        let session = MigrationSession(configuration, logger: logger)
        do {
            try await session.connect()
            let result = try await body(session)
            await session.close()
            return result
        } catch {
            await session.close()
            throw error
        }
    }

    /// Takes the lock, however long another program holds it, and makes the table.
    private static func prepare(_ session: MigrationSession) async throws {
        _ = try await session.query("SELECT set_config('lock_timeout', '0', false)")
        _ = try await session.query("SELECT pg_advisory_lock($1)", [.int(lockKey)])
        _ = try await session.execute("RESET lock_timeout")
        _ = try await session.query(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version integer PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now())
            """)
    }

    private static func plan(
        _ migrations: [Migration], _ session: MigrationSession, allowsNewer: Bool
    ) async throws -> MigrationPlan {
        let checksums = try await session.query(
            """
            SELECT encode(sha256(convert_to(text, 'UTF8')), 'hex') AS checksum
              FROM unnest($1::text[]) WITH ORDINALITY AS given (text, place) ORDER BY place
            """, [.texts(migrations.map(\.sql))])
        let known = try zip(migrations, checksums).map {
            MigrationPlan.Known(migration: $0, checksum: try $1.text("checksum"))
        }
        let applied = try await applied(session)
        return try MigrationPlan(known: known, applied: applied, allowsNewer: allowsNewer)
    }

    private static func applied(_ session: MigrationSession) async throws -> [MigrationPlan.Applied] {
        let exists = try await session.query("SELECT to_regclass('schema_migrations') IS NOT NULL AS found")
        guard try exists[0].bool("found") else { return [] }
        return try await session.query(
            "SELECT version, name, checksum FROM schema_migrations ORDER BY version"
        ).map {
            MigrationPlan.Applied(
                version: try $0.int("version"), name: try $0.text("name"), checksum: try $0.text("checksum"))
        }
    }

    private static func apply(_ migration: Migration, _ session: MigrationSession) async throws {
        _ = try await session.query("BEGIN")
        switch try await session.execute(migration.sql) {
        case .done: break
        case .failed(let failure, let statement):
            throw error(failure, statement, of: migration)
        }
        guard await session.isInTransaction else {
            throw PostgresError(
                .configuration, "migration \(migration.title) ends the transaction that it runs in")
        }
        // The migration may have changed where names are looked up.
        _ = try await session.query("SET LOCAL search_path TO DEFAULT")
        _ = try await session.query(
            """
            INSERT INTO schema_migrations (version, name, checksum)
            VALUES ($1, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))
            """, [.int(migration.version), .text(migration.name), .text(migration.sql)])
        _ = try await session.query("COMMIT")
        // What it SET for the session must not reach the next one.
        _ = try await session.query("RESET ALL")
    }

    /// The server's error, with the place in the migration's text before it.
    private static func error(
        _ failure: ServerFailure, _ statement: Int, of migration: Migration
    ) -> PostgresError {
        let place =
            failure.position.map { position in
                let lines = migration.sql.unicodeScalars.prefix(position - 1).count { $0 == "\n" }
                return "line \(lines + 1)"
            } ?? "statement \(statement)"
        let hint = failure.hint.map { " (\($0))" } ?? ""
        return PostgresError(
            failure.error.kind, "migration \(migration.title), \(place): \(failure.message)\(hint)",
            constraint: failure.constraint)
    }
}
