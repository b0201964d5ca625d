package import Postgres

/// The services' logins at the database: made when they are missing, with the password they are to have, each a member
/// of its service's role and of nothing else.
package struct DatabaseLogins: Sendable {
    private let pool: PostgresPool

    /// `pool` is the database owner's, who may create roles.
    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Makes the logins, or gives those that are there this password; all or none. Returns those that are new.
    package func set(_ logins: [(service: ServiceLogin, password: String)]) async throws -> [ServiceLogin] {
        try await pool.transaction { transaction in
            var made: [ServiceLogin] = []
            for (service, password) in logins {
                let verifier = ScramVerifier(of: password)
                let row = try await transaction.query(
                    Self.name, [.text(service.rawValue), .text(service.role), .text(verifier.text)])[0]
                if try row.bool("is_new") { made.append(service) }
                _ = try await transaction.query(Self.give)
            }
            return made
        }
    }

    /// What makes roles takes no parameters: they come by the transaction's own settings.
    private static let name: Statement = """
        SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $1::text) AS is_new,
               set_config('tenantatlas.login', $1::text, true), set_config('tenantatlas.role', $2::text, true),
               set_config('tenantatlas.verifier', $3::text, true)
        """

    private static let give: Statement = """
        DO $$
        DECLARE
            login text := current_setting('tenantatlas.login');
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
                EXECUTE format('CREATE ROLE %I LOGIN', login);
            END IF;
            EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', login, current_setting('tenantatlas.verifier'));
            EXECUTE format('GRANT %I TO %I', current_setting('tenantatlas.role'), login);
        END $$
        """
}
