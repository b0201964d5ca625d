internal import Foundation
package import Logging
package import Postgres
import Store

/// A database of its own for one test, migrated, on the server that `TEST_DATABASE_URL` names.
package struct TestDatabase: Sendable {
    /// The database's address, as the owner.
    package let url: String
    package let pool: PostgresPool
    private let server: PostgresConfiguration
    private let name: String

    /// Why no test database could be had.
    package struct Missing: Error, CustomStringConvertible {
        package let variable: String
        package var description: String {
            "\(variable) is not set: run scripts/test, which starts a private server"
        }
    }

    /// The value of an environment variable that `scripts/test` sets.
    package static func environment(_ variable: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[variable], !value.isEmpty else {
            throw Missing(variable: variable)
        }
        return value
    }

    /// Makes the database, runs `body` with it, and drops it whatever happened.
    package static func with<R>(
        poolSize: Int = 4, isolation: isolated (any Actor)? = #isolation,
        _ body: (TestDatabase) async throws -> R
    ) async throws -> R {
        let database = try await make(poolSize: poolSize)
        do {
            let result = try await body(database)
            await database.drop()
            return result
        } catch {
            await database.drop()
            throw error
        }
    }

    private static func make(poolSize: Int) async throws -> TestDatabase {
        let serverURL = try environment("TEST_DATABASE_URL")
        let name = "test_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
        let server = PostgresConfiguration(url: serverURL)
        try await administer(server, "CREATE DATABASE \(name)")
        let url = replaceDatabase(in: serverURL, by: name)
        var configuration = PostgresConfiguration(url: url)
        configuration.poolSize = poolSize
        _ = try await Migrations.apply(Schema.migrations, to: configuration, logger: quiet)
        return TestDatabase(
            url: url, pool: PostgresPool(configuration, logger: quiet), server: server, name: name)
    }

    private func drop() async {
        await pool.close()
        try? await Self.administer(server, "DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
    }

    /// A logger that says only what is wrong.
    package static var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return logger
    }

    /// `postgres://user@host:port/postgres?x=y` → the same with another database.
    private static func replaceDatabase(in url: String, by name: String) -> String {
        let (address, query) = url.firstIndex(of: "?").map { (url[..<$0], url[$0...]) } ?? (url[...], "")
        let base = address.lastIndex(of: "/").map { address[..<$0] } ?? address
        return "\(base)/\(name)\(query)"
    }

    /// Databases are made and dropped by the server's own tool: the pool takes no statement that is put together.
    private static func administer(_ server: PostgresConfiguration, _ command: String) async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", server.url, "-c", command]
        process.standardOutput = FileHandle.nullDevice
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { process in
                process.terminationStatus == 0
                    ? done.resume()
                    : done.resume(throwing: Missing(variable: "TEST_DATABASE_URL (reachable)"))
            }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
    }
}
