import CredentialFixtures
import Credentials
import Fixtures
import Foundation
import JSON
import Operations
import Postgres
import Sealing
import Store
import Testing

@testable import Atlas

/// Connections, credentials and tokens from the command line, against the real API.
@Suite struct ConnectionCommandTests {
    private static let contoso = DemoWorld.tenants(large: false)[0]

    /// Writes files into a folder of their own and removes it.
    private func withFiles<R>(
        _ files: [String: String], _ body: ((String) -> String) async throws -> R
    ) async throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
        return try await body { folder.appending(path: $0).path }
    }

    private func credential(_ starter: RunningStarter, _ id: ConnectionID) async throws -> ProviderCredential
    {
        let stored = try #require(
            try await ProviderConnections(pool: starter.database.pool).find(id, of: Self.contoso.id)?
                .credential)
        return try ProviderCredential(
            payload: try Opener(privateKeys: [starter.key]).open(
                Sealed(keyID: KeyID(stored.keyID), bytes: stored.sealed),
                .providerCredential(
                    tenant: Self.contoso.id.uuid, connection: id.uuid, version: stored.version)))
    }

    @Test func aConnectionIsMadeEditedAndGetsItsCredential() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Marcus Lindqvist")
            let made = try await atlas.run(
                "connections", "create", "--tenant", "Contoso", "--name", "Contoso second", "--cloud",
                "sandbox", "--entra-tenant-id", UUID().uuidString, "--entra-tenant-name", "Contoso EU",
                "--client-id", UUID().uuidString, "--json")
            #expect(made.status == 0, "\(made.errors)")
            let text = try #require(try made.json["provider_connection_id"]?.string)
            let id = try #require(ConnectionID(text))
            let shown = try await atlas.run("connections", "show", text)
            #expect(shown.output.contains("credential    none"))
            #expect(shown.output.contains("No credential is set."))

            try await withFiles(["secret": "canary-S3cret~1\n"]) { path in
                let set = try await atlas.run(
                    "credentials", "set", text, "--secret-file", path("secret"), "--expires", "2036-05-31")
                #expect(set.status == 0, "\(set.errors)")
                #expect(set.output.contains("client secret, version 1"))
                #expect(set.output.contains("by Marcus Lindqvist"))
                #expect(!(set.output + set.errors).contains("canary"))
            }
            guard case .clientSecret(let secret) = try await credential(starter, id) else {
                Issue.record("another kind")
                return
            }
            #expect(secret.reveal { String(decoding: $0, as: UTF8.self) } == "canary-S3cret~1")

            let sample = SampleCertificate.shared
            try await withFiles([
                "app.pem": sample.privateKey + "\n" + sample.certificate, "cert.pem": sample.certificate,
                "other.pem": SampleCertificate.other.privateKey,
            ]) { path in
                let set = try await atlas.run("credentials", "set", text, "--certificate", path("app.pem"))
                #expect(set.status == 0, "\(set.errors)")
                #expect(set.output.contains("certificate, version 2"))
                #expect(set.output.contains("The one before is used no longer.\neffective"))
                let wrong = try await atlas.run(
                    "credentials", "set", text, "--certificate", path("cert.pem"), "--key", path("other.pem"))
                #expect(wrong.status == 1)
                #expect(wrong.errors.contains("private_key belongs to another certificate"))
                #expect(!wrong.errors.contains("BEGIN"))
                let away = try await atlas.run("credentials", "set", text, "--certificate", path("none"))
                #expect(away.status == 2)
            }
            guard case .certificate(let certificate) = try await credential(starter, id) else {
                Issue.record("another kind")
                return
            }
            #expect(certificate.thumbprint == sample.thumbprint)

            let edited = try await atlas.run(
                "connections", "edit", text, "--name", "Renamed", "--entra-tenant-id", UUID().uuidString)
            #expect(edited.status == 0, "\(edited.errors)")
            #expect(edited.output.contains("It leads to another Entra tenant now.\neffective"))
            let stale = try await atlas.run("connections", "edit", text, "--name", "x", "--revision", "1")
            #expect(stale.status == 1)
            #expect(stale.errors.contains("Somebody else changed this connection meanwhile."))
            let chosen = try await atlas.run("connections", "default", text, "--json")
            #expect(try chosen.json["default"] == true)
            let list = try await atlas.run("connections", "list", "--tenant", "Contoso")
            #expect(list.output.contains("Renamed"))
        }
    }

    @Test func theStandardInputIsReadInPlaceOfAFile() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Marcus Lindqvist")
            let set = try await atlas.run(
                ["credentials", "set", "\(Self.contoso.connectionID)"], input: "piped-S3cret\n")
            #expect(set.status == 0, "\(set.errors)")
            guard case .clientSecret(let secret) = try await credential(starter, Self.contoso.connectionID)
            else {
                Issue.record("another kind")
                return
            }
            #expect(secret.reveal { String(decoding: $0, as: UTF8.self) } == "piped-S3cret")
            let nothing = try await atlas.run(
                ["credentials", "set", "\(Self.contoso.connectionID)"], input: "")
            #expect(nothing.status == 2)
            #expect(nothing.errors.contains("There is nothing in the standard input."))
        }
    }

    @Test func credentialsAreSealedAnew() async throws {
        try await RunningStarter.with { starter in
            let next = SealingPrivateKey()
            var atlas = AtlasProcess(environment: [
                "DATABASE_URL": starter.database.url, "CREDENTIAL_PUBLIC_KEY": next.publicKey.text,
                "CREDENTIAL_PRIVATE_KEY": starter.key.text,
            ])
            let done = try await atlas.run("credentials", "reseal")
            #expect(done.status == 0, "\(done.errors)")
            #expect(done.output.hasPrefix("6 credentials were sealed anew, to the key \(next.publicKey.id)."))
            let again = try await atlas.run("credentials", "reseal", "--json")
            #expect(
                try again.json == [
                    "key_id": .string("\(next.publicKey.id)"), "resealed": 0, "refused": [],
                ])
            // To a third key without the second's private half.
            atlas.environment["CREDENTIAL_PUBLIC_KEY"] = SealingPrivateKey().publicKey.text
            let refused = try await atlas.run("credentials", "reseal", "--json")
            #expect(refused.status == 1)
            #expect(try refused.json["refused"]?.array?.count == 6)
            #expect(!(refused.output + refused.errors).contains("ta-private"))
        }
    }

    @Test func tokensAreMadeListedAndRevoked() async throws {
        try await RunningStarter.with { starter in
            let manager = starter.atlas(as: "Marcus Lindqvist")
            let made = try await manager.run(
                "tokens", "create", "--system", "ticket-system", "--label", "tickets", "--tenant", "Contoso",
                "--capability", "provider.run", "--capability", "operations.view", "--json")
            #expect(made.status == 0, "\(made.errors)")
            let token = try #require(try made.json["token"]?.string)
            let id = try #require(try made.json["token_id"]?.string)
            let system = starter.atlas(as: token)
            let runs = try await system.run("runs", "list", "--json")
            #expect(runs.status == 0, "\(runs.errors)")
            let refused = try await system.run("tokens", "create", "--label", "more")
            #expect(refused.status == 1)
            #expect(refused.errors.contains("issues no tokens"))
            let list = try await manager.run("tokens", "list", "--user", "ticket-system")
            #expect(list.output.contains("operations.view, provider.run"))
            #expect(list.output.contains("1 tenant"))
            #expect(!list.output.contains(token))
            let other = try await manager.run("tokens", "create", "--system", "Omar Reyes", "--label", "x")
            #expect(other.status == 1)
            #expect(other.errors.contains("Nobody gets a token to act as another person."))
            let revoked = try await manager.run("tokens", "revoke", id)
            #expect(revoked.output == "Revoked. Requests with it are refused from now on.\n")
            let out = try await system.run("runs", "list")
            #expect(out.status == 1)
            #expect(out.errors.contains("ATLAS_TOKEN"))
            let unknown = try await manager.run("tokens", "revoke", UUID().uuidString)
            #expect(unknown.status == 1)
        }
    }

    @Test func whoeverMayNotIsTold() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Omar Reyes")
            let id = "\(Self.contoso.connectionID)"
            for arguments in [
                ["connections", "edit", id, "--name", "x"], ["connections", "default", id],
                ["connections", "disable", id],
            ] {
                let refused = try await atlas.run(arguments)
                #expect(refused.status == 1)
                #expect(refused.errors.contains("provider.manage"), "\(arguments)")
            }
        }
    }
}
