import Fixtures
import Foundation
import Postgres
import Testing

@testable import Store

/// Logins belong to the whole server, so one test has them all.
@Suite struct DatabaseLoginsTests {
    private static func read(_ database: TestDatabase, as login: String, _ password: String) async throws
        -> Int
    {
        var address = try #require(URLComponents(string: database.url))
        (address.user, address.password) = (login, password)
        let pool = PostgresPool(
            PostgresConfiguration(url: try #require(address.string)), logger: TestDatabase.quiet)
        do {
            let count = try await pool.query("SELECT count(*) FROM runs")[0].int("count")
            let refusal = await #expect(throws: PostgresError.self) {
                try await pool.query("UPDATE audit SET details = '{}'")
            }
            #expect(refusal?.sqlState == "42501")
            await pool.close()
            return count
        } catch {
            await pool.close()
            throw error
        }
    }

    @Test func theyHaveTheirRightsAndTheLatestPassword() async throws {
        try await TestDatabase.with { database in
            let logins = DatabaseLogins(pool: database.pool)
            let services = ServiceLogin.allCases
            _ = try await logins.set(services.map { ($0, "first-\($0)") })
            for service in services {
                #expect(try await Self.read(database, as: service.rawValue, "first-\(service)") == 0)
            }
            // None is new now; one gets another password.
            #expect(try await logins.set([(.starter, "second")]).isEmpty)
            #expect(try await Self.read(database, as: "starter", "second") == 0)
            await #expect(throws: PostgresError.self) {
                try await Self.read(database, as: "starter", "first-starter")
            }
            #expect(try await Self.read(database, as: "notifier", "first-notifier") == 0)
        }
    }

    @Test func theVerifierIsTheStandards() {
        // RFC 7677, section 3: «pencil» with this salt. Its keys were computed by another implementation.
        let salt = Array(Data(base64Encoded: "W22ZaJ0SNY7soEsUEjb6gQ==")!)
        #expect(
            ScramVerifier(of: "pencil", salt: salt).text
                == "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        )
    }
}
