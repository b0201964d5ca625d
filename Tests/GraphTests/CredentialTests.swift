import CredentialFixtures
import Fixtures
import Foundation
import GraphFixtures
import JSON
import Operations
import Postgres
import Sealing
import Store
import Testing

@testable import Graph

/// Credentials in use: certificates, rotation while something runs, and a change of the sealing key.
@Suite struct CredentialTests {
    private static let organization: GraphPath = "/v1.0/organization"

    // MARK: certificates

    @Test func aCertificateSignsForATokenAndNoSecretIsSent() async throws {
        try await ProviderStage.with { stage in
            try await stage.setCertificate(.shared)
            let session = try await stage.gateway.session(under: stage.run(.connectionCheck))
            _ = try await session.get(Self.organization)
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant)
            #expect(calls.map(\.status) == [200, 200])
            #expect(try await session.renewToken()?.clientID == session.clientID)
        }
    }

    @Test func aCertificateThatIsNotRegisteredIsRefused() async throws {
        try await ProviderStage.with { stage in
            try await stage.setCertificate(.shared)
            try await stage.sandbox.control(
                "PUT", "/tenants/\(stage.entraTenant)",
                ["app": ["certificates": [.string(SampleCertificate.other.certificate)]]])
            let permit = try await stage.run(.connectionCheck)
            let failure = await #expect(throws: GraphFailure.self) {
                try await stage.gateway.session(under: permit).get(Self.organization)
            }
            #expect(failure?.failure == .credentialInvalid)
            #expect(failure?.code == "AADSTS700027")
            #expect(!stage.log.text.contains("eyJ"))
        }
    }

    // MARK: rotation

    /// What runs goes on, with a token that the new secret brought: nothing is called with the old one's.
    @Test func aRotationHoldsForWhatIsRunning() async throws {
        try await ProviderStage.with { stage in
            let session = try await stage.gateway.session(under: stage.run(.connectionCheck))
            _ = try await session.get(Self.organization)
            try await stage.sandbox.control(
                "PUT", "/tenants/\(stage.entraTenant)", ["app": ["clientSecret": "the-next-one"]])
            // The token of before is still good at the provider; it is not used any more.
            try await stage.setSecret("the-next-one")
            _ = try await session.get(Self.organization)
            try await stage.setCertificate(.shared)
            _ = try await session.get(Self.organization)
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant)
            #expect(calls.map(\.method) == ["POST", "GET", "POST", "GET", "POST", "GET"])
            #expect(calls.map(\.status) == Array(repeating: 200, count: 6))
            let permits = try await stage.permits()
            #expect(permits.allSatisfy { $0.isClosed })
            // Those that were given back unused have no status.
            #expect(permits.filter { $0.status == nil }.count == 2)
        }
    }

    @Test func aWrongSecretEndsWhatIsRunning() async throws {
        try await ProviderStage.with { stage in
            let session = try await stage.gateway.session(under: stage.run(.connectionCheck))
            _ = try await session.get(Self.organization)
            try await stage.setSecret("wrong")
            let failure = await #expect(throws: GraphFailure.self) {
                try await session.get(Self.organization)
            }
            #expect(failure?.failure == .credentialInvalid)
            #expect(failure?.code == "AADSTS7000215")
        }
    }

    /// Many readers and a rotation in the middle: all succeed, and none calls with the old token afterwards.
    @Test func manyCallsGoOnThroughARotation() async throws {
        try await ProviderStage.with { stage in
            let session = try await stage.gateway.session(under: stage.run(.connectionCheck))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for reader in 0..<8 {
                    group.addTask {
                        for _ in 0..<20 { _ = try await session.get(Self.organization) }
                        _ = reader
                    }
                }
                group.addTask {
                    for _ in 0..<5 { try await stage.setSecret(ProviderStage.secret) }
                }
                try await group.waitForAll()
            }
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant)
            #expect(calls.filter { $0.method == "GET" }.count == 160)
            #expect(calls.allSatisfy { $0.status == 200 })
            let tokens = calls.filter { $0.method == "POST" }.count
            #expect((1...6).contains(tokens), "\(tokens)")
            #expect(try await stage.permits().allSatisfy { $0.isClosed })
        }
    }

    // MARK: another sealing key

    private static func resealing(
        _ stage: ProviderStage, _ keys: [SealingPrivateKey], to key: SealingPrivateKey
    ) -> CredentialResealing {
        CredentialResealing(
            changes: CredentialChanges(pool: stage.database.pool), opener: Opener(privateKeys: keys),
            to: key.publicKey)
    }

    @Test func everythingIsSealedAnewOnceAndAudited() async throws {
        try await ProviderStage.with { stage in
            let (world, pool) = (stage.world, stage.database.pool)
            // More than two batches, a row of a key that is lost, and one that was tampered with.
            _ = try await pool.query(
                """
                INSERT INTO tenants (id, workspace_id, name)
                SELECT gen_random_uuid(), $1::uuid, 'T' || n FROM generate_series(1, 220) AS n
                """, [.uuid(world.workspace.uuid)])
            let tenants = try await pool.query(
                "SELECT id FROM tenants WHERE name LIKE 'T%' AND name <> 'Tenant 1'"
            )
            .map { TenantID(try $0.uuid(0)) }
            var connections: [ConnectionID] = []
            for (index, tenant) in tenants.enumerated() {
                let id = try await ConnectionSample(on: tenant).make(in: world.workspace, pool)
                let key = index == 7 ? SealingPrivateKey() : stage.privateKey
                try await CredentialSample.set(
                    Array("secret \(index)".utf8), key: key.publicKey, on: id, of: tenant,
                    in: world.workspace,
                    pool)
                connections.append(id)
            }
            _ = try await pool.query(
                "UPDATE provider_credentials SET sealed = sealed || '\\x00' WHERE connection_id = $1::uuid",
                [.uuid(connections[9].uuid)])
            let next = SealingPrivateKey()
            var told: [Int] = []
            let report = try await Self.resealing(stage, [stage.privateKey], to: next).run { told.append($0) }
            #expect(report.resealed == 219)
            #expect(told.max() == 219 && told.count == 3)
            #expect(Set(report.refused.map(\.connection)) == [connections[7], connections[9]])
            #expect(report.refused.contains { $0.error == .notAuthentic })
            let stored = try await ProviderConnections(pool: pool).find(connections[30], of: tenants[30])
            let credential = try #require(stored?.credential)
            #expect(credential.version == 1)
            let opened = try Opener(privateKeys: [next]).open(
                Sealed(keyID: KeyID(credential.keyID), bytes: credential.sealed),
                .providerCredential(tenant: tenants[30].uuid, connection: connections[30].uuid, version: 1))
            #expect(opened.reveal { String(decoding: $0, as: UTF8.self) } == "secret 30")
            // Begun again, there is nothing to do but what can't be opened.
            let again = try await Self.resealing(stage, [stage.privateKey], to: next).run { _ in }
            #expect(again.resealed == 0)
            #expect(again.refused.count == 2)
            let audited = try await pool.query(
                """
                SELECT count(DISTINCT details::jsonb->>'provider_connection_id'), count(*) FROM audit
                WHERE action = 'credential.resealed' AND tenant_id IS NOT NULL
                """)[0]
            #expect(try audited.int(0) == 219)
            #expect(try audited.int(1) == 219)
        }
    }

    /// A credential that is set meanwhile is newer than what was read: it stays.
    @Test func aCredentialThatWasSetMeanwhileStays() async throws {
        try await ProviderStage.with { stage in
            let changes = CredentialChanges(pool: stage.database.pool)
            let read = try await changes.sealedToOthers(than: "none", after: nil, limit: 10)
            try #require(read.count == 1)
            try await stage.setSecret("newer")
            #expect(try await changes.reseal([(read[0], "other", [1, 2, 3])]) == 0)
            let now = try await changes.sealedToOthers(than: "none", after: nil, limit: 10)
            #expect(now[0].credential.version == read[0].credential.version + 1)
        }
    }
}
