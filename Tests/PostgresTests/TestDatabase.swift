import Foundation
import Logging
import SeededRandom
import Testing

@testable import Postgres

let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

struct MissingServer: Error, CustomStringConvertible {
    let description = "TEST_DATABASE_URL is not set: run scripts/test, which starts a server for the tests"
}

/// A database of its own for one test, dropped afterwards.
struct TestDatabase: Sendable {
    let configuration: PostgresConfiguration
    let host: String
    let port: UInt16
    let name: String

    /// The same database by way of another port, such as a proxy's.
    func configuration(port: UInt16) -> PostgresConfiguration {
        configuration(adding: "host=127.0.0.1&port=\(port)")
    }

    /// The same database with more in its address.
    func configuration(adding setting: String) -> PostgresConfiguration {
        var other = configuration
        other.url += (other.url.contains("?") ? "&" : "?") + setting
        return other
    }
}

/// Runs `body` with a fresh database. `adjust` changes the configuration first.
func withDatabase<R: Sendable>(
    _ adjust: (inout PostgresConfiguration) -> Void = { _ in },
    _ body: (TestDatabase) async throws -> R
) async throws -> R {
    guard let url = ProcessInfo.processInfo.environment["TEST_DATABASE_URL"] else { throw MissingServer() }
    let name = "test_\(UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: "_"))"
    try await administer(url, "CREATE DATABASE \(name)")
    var parts = try #require(URLComponents(string: url))
    parts.path = "/\(name)"
    var configuration = PostgresConfiguration(url: try #require(parts.string), applicationName: name)
    configuration.poolSize = 2
    adjust(&configuration)
    let database = TestDatabase(
        configuration: configuration, host: parts.host ?? "127.0.0.1", port: UInt16(parts.port ?? 5432),
        name: name)
    let outcome: Result<R, any Error>
    do { outcome = .success(try await body(database)) } catch { outcome = .failure(error) }
    try await administer(url, "DROP DATABASE \(name) WITH (FORCE)")
    return try outcome.get()
}

/// Runs `body` with a pool on a fresh database.
func withPool<R: Sendable>(
    _ adjust: (inout PostgresConfiguration) -> Void = { _ in },
    _ body: (PostgresPool) async throws -> R
) async throws -> R {
    try await withDatabase(adjust) { database in
        try await withPool(on: database.configuration, body)
    }
}

func withPool<R: Sendable>(
    on configuration: PostgresConfiguration, _ body: (PostgresPool) async throws -> R
) async throws -> R {
    let pool = PostgresPool(configuration, logger: quiet)
    let outcome: Result<R, any Error>
    do { outcome = .success(try await body(pool)) } catch { outcome = .failure(error) }
    await pool.close()
    return try outcome.get()
}

/// Runs SQL that no statement of the module's own API can hold, such as one with a generated name.
func administer(_ url: String, _ sql: String) async throws {
    let session = MigrationSession(PostgresConfiguration(url: url), logger: quiet)
    do {
        try await session.connect()
        if case .failed(let failure, _) = try await session.execute(sql) { throw failure.error }
        await session.close()
    } catch {
        await session.close()
        throw error
    }
}

/// The error that `body` throws, or nil when it throws none or another kind.
func postgresError<R>(of body: () async throws -> R) async -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

/// A reproducible source of randomness. TEST_SEED repeats a failed run.
struct Random: RandomNumberGenerator {
    let seed: UInt64
    private var generator: SplitMix

    init() {
        let given = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) }
        seed = given ?? UInt64.random(in: 1...999_999_999)
        generator = SplitMix(seed: seed)
    }

    mutating func next() -> UInt64 { generator.next() }
}
