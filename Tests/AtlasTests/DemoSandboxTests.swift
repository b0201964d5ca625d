import Fixtures
import FoundationEssentials
import JSON
import Sealing
import Testing

@testable import Atlas
@testable import GraphSandbox

/// The demo's tenants at the real sandbox.
@Suite struct DemoSandboxTests {
    private static let token = "control-token-of-the-tests"

    private func withSandbox(_ body: @escaping @Sendable (Sandbox, String) async throws -> Void) async throws
    {
        var options = Sandbox.Options()
        options.controlToken = Self.token
        let sandbox = Sandbox(options, tenants: [])
        let (addresses, told) = AsyncStream<String>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await SandboxServer(sandbox: sandbox, host: "127.0.0.1", port: 0).run { told.yield($0) }
            }
            var iterator = addresses.makeAsyncIterator()
            let url = try #require(await iterator.next())
            defer { group.cancelAll() }
            try await body(sandbox, url)
        }
    }

    @Test func tenantsAreRegisteredAndMendedByARerun() async throws {
        try await withSandbox { sandbox, url in
            try await TestDatabase.with { database in
                let atlas = AtlasProcess(environment: [
                    "DATABASE_URL": database.url, "CREDENTIAL_PUBLIC_KEY": SealingPrivateKey().publicKey.text,
                    "SANDBOX_CONTROL_TOKEN": Self.token,
                ])
                let first = try await atlas.run("demo-data", "--sandbox", url)
                #expect(first.status == 0, "\(first.errors)")
                #expect(!first.output.contains("--sandbox URL"))
                let contoso = DemoWorld.tenants(large: false)[0]
                let made = try #require(sandbox.tenants[contoso.entraTenantID])
                #expect(made.displayName == "Contoso")
                #expect(made.roster.count == 20_000)
                #expect(made.app.clientID == contoso.clientID)
                #expect(made.app.clientSecret == contoso.clientSecret)
                #expect(made.app.roles.contains("DeviceManagementConfiguration.ReadWrite.All"))

                _ = sandbox.tenants.update(contoso.entraTenantID) { $0.app.clientSecret = "another" }
                let second = try await atlas.run("demo-data", "--sandbox", url)
                #expect(second.status == 0, "\(second.errors)")
                #expect(sandbox.tenants[contoso.entraTenantID]?.app.clientSecret == contoso.clientSecret)
                #expect(sandbox.tenants.all.count == 6)

                let refused = try await atlas.run(
                    "demo-data", "--sandbox", url, "--sandbox-token", "wrong-token")
                #expect(refused.status == 1)
                #expect(refused.errors.contains("Check SANDBOX_CONTROL_TOKEN."))
                #expect(!refused.errors.contains("wrong-token"))
                let away = try await atlas.run("demo-data", "--sandbox", "http://127.0.0.1:1")
                #expect(away.status == 3)
            }
        }
    }
}
