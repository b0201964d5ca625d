import Waiting
import Fixtures
import GraphFixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Sealing
import Store
import Testing

@testable import Graph

@Suite struct GatewayTests {
    private static let organization: GraphPath = "/v1.0/organization"

    private func read(_ stage: ProviderStage, _ permit: ExecutionPermit) async throws -> JSON {
        try await stage.gateway.session(under: permit).get(Self.organization, [("$select", "id")])
    }

    /// The provider's failure of one read.
    private func failure(_ stage: ProviderStage) async throws -> GraphFailure? {
        let permit = try await stage.run(.connectionCheck)
        return await #expect(throws: GraphFailure.self) { try await read(stage, permit) }
    }

    @Test func everyCallHasAPermitOfItsOwn() async throws {
        try await ProviderStage.with { stage in
            let document = try await read(stage, stage.run(.connectionCheck))
            #expect(document["value"]?[0]?["id"]?.string == stage.entraTenant)
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant)
            let permits = try await stage.permits()
            #expect(permits.map(\.call) == ["POST /{id}/oauth2/v2.0/token", "GET /v1.0/organization"])
            #expect(permits.map(\.id) == calls.map(\.clientRequestID))
            #expect(permits.allSatisfy { $0.isClosed && $0.status == 200 })
        }
    }

    @Test func oneTokenServesManyReads() async throws {
        try await ProviderStage.with { stage in
            let session = try await stage.gateway.session(under: stage.run(.connectionCheck))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { _ = try await session.get(Self.organization) } }
                try await group.waitForAll()
            }
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant)
            #expect(calls.filter { $0.method == "POST" }.count == 1)
            #expect(calls.filter { $0.method == "GET" }.count == 20)
        }
    }

    // MARK: refused by the provider

    @Test func aRefusedTokenIsReplacedOnce() async throws {
        try await ProviderStage.with { stage in
            try await stage.sandbox.arm("unauthorized", tenant: stage.entraTenant, ["count": 1])
            _ = try await read(stage, stage.run(.connectionCheck))
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant)
            #expect(calls.map(\.method) == ["POST", "GET", "POST", "GET"])
            #expect(calls.map(\.status) == [200, 401, 200, 200])
        }
    }

    @Test(arguments: ["unauthorized", "claimsChallenge"])
    func aRefusedFreshTokenIsFinal(_ kind: String) async throws {
        try await ProviderStage.with { stage in
            try await stage.sandbox.arm(kind, tenant: stage.entraTenant)
            let failure = try await failure(stage)
            #expect(failure?.failure == .authRejected)
            #expect(failure?.httpStatus == 401)
            #expect(failure?.code == "InvalidAuthenticationToken")
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant)
            #expect(calls.map(\.method) == ["POST", "GET", "POST", "GET"])
        }
    }

    static let tokenErrors: [(Int, ProviderFailure)] = [
        (7_000_222, .credentialExpired), (7_000_215, .credentialInvalid), (700_016, .consentMissing),
        (7_000_229, .consentMissing), (7_000_112, .applicationDisabled), (90_002, .tenantMismatch),
        (53_003, .policyBlocked), (1_002_012, .invalidRequest),
    ]

    @Test(arguments: tokenErrors)
    func tokenErrorsAreFinal(_ code: Int, _ expected: ProviderFailure) async throws {
        try await ProviderStage.with { stage in
            try await stage.sandbox.arm("tokenError", tenant: stage.entraTenant, ["code": .int(code)])
            let failure = try await failure(stage)
            #expect(failure?.failure == expected)
            #expect(failure?.code == "AADSTS\(code)")
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).count == 1)
            #expect(try await stage.permits().allSatisfy { $0.isClosed && ($0.status ?? 0) >= 400 })
        }
    }

    // MARK: throttled

    @Test func aShortPauseIsWaitedFor() async throws {
        try await ProviderStage.with { stage in
            try await stage.sandbox.arm("throttle", tenant: stage.entraTenant, ["count": 2, "retryAfter": 1])
            let start = ContinuousClock.now
            _ = try await read(stage, stage.run(.connectionCheck))
            #expect(ContinuousClock.now - start >= .seconds(2))
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant)
            #expect(calls.map(\.status) == [200, 429, 429, 200])
        }
    }

    @Test(arguments: ["seconds", "date"]) func aLongPauseGoesToTheRun(_ form: String) async throws {
        try await ProviderStage.with { stage in
            try await stage.sandbox.arm(
                "throttle", tenant: stage.entraTenant, ["retryAfter": 120, "retryAfterForm": .string(form)])
            let permit = try await stage.run(.connectionCheck)
            let failure = await #expect(throws: GraphFailure.self) { try await read(stage, permit) }
            #expect(failure?.failure == .throttled)
            #expect((118...122).contains(failure?.retryAfterSeconds ?? 0))
            // The account's other runs don't even ask.
            let second = await #expect(throws: GraphFailure.self) { try await read(stage, permit) }
            #expect((110...122).contains(second?.retryAfterSeconds ?? 0))
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).map(\.status) == [200, 429])
        }
    }

    @Test func aThrottledTokenEndpointGoesToTheRun() async throws {
        try await ProviderStage.with { stage in
            try await stage.sandbox.arm(
                "throttle", tenant: stage.entraTenant, ["endpoint": "token", "retryAfter": 60])
            let failure = try await failure(stage)
            #expect(failure?.failure == .throttled)
            #expect(failure?.retryAfterSeconds == 60)
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).map(\.status) == [429])
        }
    }

    // MARK: trouble that passes

    static let troubles: [(String, JSONObject)] = [
        ("outage", ["status": 503]), ("outage", ["status": 502, "html": true]), ("outage", ["status": 504]),
        ("error", ["status": 500, "code": "InternalServerError", "message": "m"]), ("reset", [:]),
        ("truncate", [:]), ("outage", ["status": 503, "retryAfter": 1]),
        ("outage", ["status": 503, "endpoint": "token"]),
    ]

    @Test(arguments: troubles) func whatPassesIsTriedAgain(_ kind: String, _ more: JSONObject) async throws {
        try await ProviderStage.with { stage in
            var fault = more
            fault["count"] = 1
            try await stage.sandbox.arm(kind, tenant: stage.entraTenant, fault)
            _ = try await read(stage, stage.run(.connectionCheck))
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).count == 3)
            #expect(try await stage.permits().allSatisfy { $0.isClosed })
        }
    }

    /// With the number of tries, and whether all of them are known to have ended.
    static let persistent: [(String, JSONObject, ProviderFailure, Int, Bool)] = [
        ("outage", ["status": 503], .unavailable, 4, true),
        ("outage", ["status": 504], .timeout, 4, true), ("truncate", [:], .malformedAnswer, 2, true),
        ("reset", [:], .unavailable, 4, false),
        ("outage", ["status": 503, "retryAfter": 120], .unavailable, 1, true),
    ]

    @Test(arguments: persistent)
    func whatDoesNotPassEnds(
        _ kind: String, _ more: JSONObject, _ expected: ProviderFailure, _ tries: Int, _ haveEnded: Bool
    ) async throws {
        try await ProviderStage.with { stage in
            try await stage.sandbox.arm(kind, tenant: stage.entraTenant, more)
            let failure = try await failure(stage)
            #expect(failure?.failure == expected)
            let reads = try await stage.permits().filter { $0.call.hasPrefix("GET") }
            #expect(reads.count == tries)
            #expect(reads.allSatisfy { $0.isClosed == haveEnded })
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant)
            #expect(Set(calls.dropFirst().map(\.clientRequestID)) == Set(reads.map(\.id)))
        }
    }

    /// Whoever asks before the permit's deadline must not be told that nothing is on the wire.
    @Test func calledTooLongIsInDoubtUntilThePermitEnds() async throws {
        let limits = GraphGateway.Limits(call: .seconds(2), token: .seconds(15))
        try await ProviderStage.with(limits: limits) { stage in
            try await stage.sandbox.arm("slow", tenant: stage.entraTenant, ["delayMs": 10_000])
            let failure = try await failure(stage)
            #expect(failure?.failure == .timeout)
            let permits = try await stage.permits()
            #expect(permits.map(\.isClosed) == [true, false, false, false, false])
        }
    }

    @Test func aPermitWithoutTimeIsNotUsed() async throws {
        let limits = GraphGateway.Limits(call: .milliseconds(200), token: .seconds(15))
        try await ProviderStage.with(limits: limits) { stage in
            let failure = try await failure(stage)
            #expect(failure?.failure == .timeout)
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).map(\.method) == ["POST"])
            #expect(try await stage.permits().allSatisfy { $0.isClosed })
        }
    }

    @Test func aCancelledCallIsInDoubt() async throws {
        try await ProviderStage.with { stage in
            try await stage.sandbox.arm("slow", tenant: stage.entraTenant, ["delayMs": 20_000])
            let permit = try await stage.run(.connectionCheck)
            let reading = Task { try await read(stage, permit) }
            _ = try await eventually("the call") {
                try await stage.sandbox.calls(tenant: stage.entraTenant).count == 2 ? true : nil
            }
            reading.cancel()
            await #expect(throws: CancellationError.self) { try await reading.value }
            #expect(try await stage.permits().map(\.isClosed) == [true, false])
        }
    }

    // MARK: refused by us

    @Test func withoutTheGrantNothingIsCalled() async throws {
        try await ProviderStage.with { stage in
            let permit = try await stage.run(.connectionCheck)
            let changes = AuthorityChanges(pool: stage.database.pool, makeID: { .init() })
            _ = try await changes.apply(
                .revokeMembership(user: stage.world.operator, tenant: nil), in: stage.world.workspace,
                by: .user(stage.world.owner))
            let refusal = await #expect(throws: CallRefusal.self) { try await read(stage, permit) }
            guard case .denied(let decision)? = refusal else {
                Issue.record("not denied: \(String(describing: refusal))")
                return
            }
            #expect(decision.denial == .tenantNotEntitled)
            #expect(try await stage.permits().isEmpty)
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).isEmpty)
        }
    }

    @Test func anotherEntraTenantIsNotCalled() async throws {
        try await ProviderStage.with { stage in
            let permit = try await stage.run(.connectionCheck)
            _ = try await stage.database.pool.query(
                "UPDATE provider_connections SET entra_tenant_id = gen_random_uuid()::text")
            let failure = await #expect(throws: GraphFailure.self) { try await read(stage, permit) }
            #expect(failure?.failure == .tenantMismatch)
            #expect(try await stage.permits().isEmpty)
        }
    }

    // MARK: credentials

    @Test func credentialsThatCantBeUsed() async throws {
        try await ProviderStage.with { stage in
            let permit = try await stage.run(.connectionCheck)
            func failure() async -> GraphFailure? {
                await #expect(throws: GraphFailure.self) { try await read(stage, permit) }
            }
            try await stage.setPayload(Array("{\"secret\":\"x\"}".utf8))
            #expect(await failure()?.code == "credential_incomplete")
            try await stage.setPayload(Array("not json".utf8))
            #expect(await failure()?.failure == .credentialInvalid)
            try await stage.setPayload(Array("{\"private_key\":\"x\"}".utf8))
            #expect(await failure()?.code == "credential_incomplete")
            let thumbprint = Data(repeating: 1, count: 32).base64EncodedString()
            try await stage.setPayload(
                Array("{\"private_key\":\"x\",\"certificate_sha256\":\"\(thumbprint)\"}".utf8))
            #expect(await failure()?.code == "credential_unusable")
            try await stage.setPayload([], key: SealingPrivateKey().publicKey)
            #expect(await failure()?.failure == .internalError)
            try await stage.setSecret(ProviderStage.secret)
            _ = try await stage.database.pool.query(
                "UPDATE provider_credentials SET version = version + 1")
            #expect(await failure()?.code == "credential_not_authentic")
            #expect(try await stage.permits().isEmpty)
        }
    }

    // MARK: secrecy

    @Test func nothingIsToldOfSecretsAndTokens() async throws {
        try await ProviderStage.with { stage in
            let permit = try await stage.run(.connectionCheck)
            _ = try? await read(stage, permit)
            for kind in ["unauthorized", "reset", "truncate"] {
                try await stage.sandbox.arm(kind, tenant: stage.entraTenant, ["count": 2])
                _ = try? await read(stage, permit)
            }
            try await stage.sandbox.arm(
                "error", tenant: stage.entraTenant,
                ["status": 403, "code": "Forbidden", "message": .string(ProviderStage.secret), "count": 1])
            _ = try? await read(stage, permit)
            let log = stage.log.text
            #expect(
                log.contains("permission_missing from GET /v1.0/organization, status 403, code Forbidden"))
            let rows = try await stage.database.pool.query(
                """
                SELECT string_agg(t, ' ') AS t FROM (
                    SELECT p::text AS t FROM call_permits p UNION ALL SELECT a::text FROM audit a
                    UNION ALL SELECT r::text FROM runs r
                ) AS x
                """)
            let written = try rows[0].text("t") + log
            for canary in [
                "canary", "S3cret", "Y2FuYXJ5", "eyJ", "Bearer", "63616e617279", stage.entraTenant + "/",
            ] {
                #expect(!written.contains(canary), "\(canary)")
            }
        }
    }
}
