import Fixtures
import Sealing
import ServiceKit
import WebFixtures

@testable import Atlas

/// The Starter's API behind a real server, over a database with the demo's world, and the program pointed at it.
struct RunningStarter: Sendable {
    let database: TestDatabase
    let url: String
    /// What credentials are sealed to there.
    let key: SealingPrivateKey
    /// The tokens of the demo's people, by name.
    let tokens: [String: String]

    /// The program as that person uses it.
    func atlas(as name: String) -> AtlasProcess {
        AtlasProcess(environment: ["STARTER_URL": url, "ATLAS_TOKEN": tokens[name] ?? name])
    }

    static func with(_ body: (RunningStarter) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let key = SealingPrivateKey()
            let demo = DemoData(
                pool: database.pool, key: key.publicKey,
                tenants: DemoWorld.tenants(large: false))
            let tokens = try await demo.load()
            let named = zip(DemoWorld.users, tokens).map { ($0.name, $1.reveal()) }
            try await RunningAPI.serve(database, key.publicKey) { url in
                try await body(
                    RunningStarter(
                        database: database, url: url, key: key,
                        tokens: Dictionary(uniqueKeysWithValues: named)))
            }
        }
    }
}
