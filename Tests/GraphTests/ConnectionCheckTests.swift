import FoundationEssentials
import Fixtures
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Graph
@testable import ProviderConsumer

@Suite struct ConnectionCheckTests {
    private static let writers: [JSON] =
        ProviderStage.readers + [
            "DeviceManagementConfiguration.ReadWrite.All", "DeviceManagementApps.ReadWrite.All",
            "DeviceManagementManagedDevices.PrivilegedOperations.All",
        ]
    private static let probes = [
        "probe:managedDevices", "probe:deviceConfigurations", "probe:configurationPolicies",
        "probe:mobileApps",
    ]

    /// One check of the stage's connection.
    private func check(_ stage: ProviderStage) async throws -> (ExecutionResult, ExecutionPermit) {
        let permit = try await stage.run(.connectionCheck)
        let check = ConnectionCheck(
            gateway: stage.gateway, ledger: stage.ledger, connections: stage.connections)
        return (try await check.execute(permit), permit)
    }

    /// The counts as total, applied, failed, skipped, untouched.
    private func numbers(_ result: ExecutionResult) -> [Int] {
        [.total, .applied, .failed, .skipped, .untouched].map { result.counts[$0] }
    }

    @Test func aGoodConnectionIsHealthy() async throws {
        try await ProviderStage.with { stage in
            let (result, permit) = try await check(stage)
            guard case .completed = result else {
                Issue.record("\(result)")
                return
            }
            #expect(numbers(result) == [8, 8, 0, 0, 0])
            let keys = ["token", "claims", "organization", "device_management"] + Self.probes
            #expect(
                try await stage.items(of: permit)
                    == Dictionary(uniqueKeysWithValues: keys.map { ($0, "applied ok") }))
            let health = try await stage.health()
            #expect(health == ("healthy", nil, false))
        }
    }

    @Test func writePermissionsOpenTheGatesCheck() async throws {
        try await ProviderStage.with(roles: Self.writers) { stage in
            _ = try await check(stage)
            let health = try await stage.health()
            #expect(health == ("healthy", nil, true))
        }
    }

    @Test func losingWritePermissionsRaisesTheEpoch() async throws {
        try await ProviderStage.with(roles: Self.writers) { stage in
            func epoch() async throws -> Int {
                try await stage.database.pool.query("SELECT authority_epoch FROM tenants")[0].int(0)
            }
            _ = try await check(stage)
            let before = try await epoch()
            _ = try await stage.database.pool.query(
                "UPDATE runs SET state = 'completed', outcome = 'succeeded', completed_at = now(), worker_id = NULL"
            )
            try await stage.sandbox.arm(
                "rolesRemoved", tenant: stage.entraTenant, ["roles": ["DeviceManagementApps.ReadWrite.All"]])
            // A fresh token, although the cached one would do.
            _ = try await check(stage)
            #expect(try await stage.health().gate == false)
            #expect(try await epoch() == before + 1)
        }
    }

    @Test func aTenantWithoutIntuneLacksTheLicence() async throws {
        try await ProviderStage.with(tenant: ["intune": false]) { stage in
            let (result, permit) = try await check(stage)
            guard case .completed = result else {
                Issue.record("\(result)")
                return
            }
            #expect(numbers(result) == [8, 3, 1, 4, 0])
            #expect(try await stage.items(of: permit)["device_management"] == "failed licence_missing")
            let health = try await stage.health()
            #expect(health == ("unhealthy", "licence_missing", false))
        }
    }

    @Test func aMissingPermissionDegrades() async throws {
        let roles: [JSON] = ["Organization.Read.All", "DeviceManagementManagedDevices.Read.All"]
        try await ProviderStage.with(roles: roles) { stage in
            let (result, permit) = try await check(stage)
            #expect(numbers(result) == [8, 5, 3, 0, 0])
            let items = try await stage.items(of: permit)
            #expect(items["probe:managedDevices"] == "applied ok")
            #expect(items["probe:mobileApps"] == "failed permission_missing")
            let health = try await stage.health()
            #expect(health == ("degraded", "permission_missing", false))
        }
    }

    @Test func noSurfaceAtAllIsUnhealthy() async throws {
        try await ProviderStage.with(roles: ["Organization.Read.All"]) { stage in
            let (result, _) = try await check(stage)
            #expect(numbers(result) == [8, 3, 5, 0, 0])
            let health = try await stage.health()
            #expect(health == ("unhealthy", "permission_missing", false))
        }
    }

    @Test func noRolesMeansNoConsent() async throws {
        try await ProviderStage.with(roles: []) { stage in
            let (result, permit) = try await check(stage)
            guard case .failed(.consentMissing, _, _) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(numbers(result) == [8, 1, 1, 0, 6])
            #expect(
                try await stage.items(of: permit)
                    == ["token": "applied ok", "claims": "failed consent_missing"])
            let health = try await stage.health()
            #expect(health == ("unhealthy", "consent_missing", false))
        }
    }

    @Test func anExpiredSecretFails() async throws {
        try await ProviderStage.with { stage in
            try await stage.sandbox.arm("tokenError", tenant: stage.entraTenant, ["code": 7_000_222])
            let (result, permit) = try await check(stage)
            guard case .failed(.credentialExpired, _, _) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(numbers(result) == [8, 0, 1, 0, 7])
            #expect(try await stage.items(of: permit) == ["token": "failed credential_expired"])
            let health = try await stage.health()
            #expect(health == ("unhealthy", "credential_expired", false))
        }
    }

    @Test func aForbiddenDirectoryIsNotHeldAgainstTheConnection() async throws {
        try await ProviderStage.with(roles: ["DeviceManagementApps.Read.All"]) { stage in
            let (result, _) = try await check(stage)
            guard case .failed(.permissionMissing, _, _) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(try await stage.health().health == "degraded")
        }
    }

    static let passing: [(JSONObject, ProviderFailure)] = [
        (["kind": "throttle", "retryAfter": 120], .throttled),
        (["kind": "throttle", "retryAfter": 120, "endpoint": "token"], .throttled),
        (["kind": "throttle", "retryAfter": 120, "path": "/v1.0/deviceAppManagement"], .throttled),
        (["kind": "outage", "status": 503, "retryAfter": 120], .unavailable),
    ]

    @Test(arguments: passing)
    func passingTroubleSaysNothingAboutTheConnection(
        _ fault: JSONObject, _ expected: ProviderFailure
    ) async throws {
        try await ProviderStage.with { stage in
            var more = fault
            more["kind"] = nil
            try await stage.sandbox.arm(fault["kind"]!.string!, tenant: stage.entraTenant, more)
            let (result, _) = try await check(stage)
            guard case .failed(expected, _, let retryAfter) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(retryAfter == 120)
            let health = try await stage.health()
            #expect(health == ("unknown", nil, nil))
        }
    }

    @Test func withoutTheGrantItIsRefused() async throws {
        try await ProviderStage.with { stage in
            _ = try await stage.database.pool.query("UPDATE memberships SET revoked_at = now()")
            let (result, _) = try await check(stage)
            guard case .refused(let decision, _) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(decision.denial == .tenantNotEntitled)
            #expect(numbers(result) == [8, 0, 0, 0, 8])
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).isEmpty)
            #expect(try await stage.health().health == "unknown")
        }
    }

    @Test func askedToStopItStops() async throws {
        try await ProviderStage.with { stage in
            let permit = try await stage.run(.connectionCheck)
            _ = try await stage.database.pool.query("UPDATE runs SET cancel_requested = true")
            let check = ConnectionCheck(
                gateway: stage.gateway, ledger: stage.ledger, connections: stage.connections)
            guard case .cancelled(let counts) = try await check.execute(permit) else {
                Issue.record("not cancelled")
                return
            }
            #expect(counts[.applied] == 0)
        }
    }

    @Test func theDatabasesTroubleIsNobodysResult() async throws {
        try await ProviderStage.with { stage in
            let permit = try await stage.run(.connectionCheck)
            _ = try await stage.database.pool.query("DROP TABLE call_permits")
            let check = ConnectionCheck(
                gateway: stage.gateway, ledger: stage.ledger, connections: stage.connections)
            await #expect(throws: PostgresError.self) { try await check.execute(permit) }
        }
    }

    @Test func aLostAttemptWritesNothing() async throws {
        try await ProviderStage.with { stage in
            let permit = try await stage.run(.connectionCheck)
            _ = try await stage.nextAttempt(of: permit)
            await #expect(throws: CallRefusal.self) {
                try await stage.connections.record(
                    .init(health: .unhealthy, reason: .throttled, permitsChanges: true), under: permit)
            }
            let health = try await stage.health()
            #expect(health == ("unknown", nil, nil))
        }
    }
}

@Suite struct CheckReportTests {
    private func claims(_ claims: JSON) throws -> TokenClaims? {
        TokenClaims(
            try #require(AccessToken(TokenSample.body(claims), requestedAt: .now, serial: 1)).bearer)
    }

    static let hints: [(JSON, ProviderFailure?)] = [
        (["tid": "T-1", "appid": "c-1", "roles": ["R"]], nil), (["roles": ["R"]], nil),
        (["tid": "t-2", "appid": "c-1", "roles": ["R"]], .tenantMismatch),
        (["tid": "t-1", "appid": "c-2", "roles": ["R"]], .applicationMissing),
        (["tid": "t-1", "appid": "c-1"], .consentMissing),
        (["tid": "t-1", "appid": "c-1", "roles": []], .consentMissing),
    ]

    @Test(arguments: hints) func tokensHints(_ json: JSON, _ expected: ProviderFailure?) throws {
        let claims = try claims(json)
        var found: ProviderFailure?
        do {
            try CheckReport.compare(claims, entraTenantID: "t-1", clientID: "C-1")
        } catch {
            found = error.failure
        }
        #expect(found == expected)
    }

    @Test func anUnreadableTokenIsNoFailure() throws {
        try CheckReport.compare(nil, entraTenantID: "t", clientID: "c")
    }

    static let subscriptions: [(String?, Bool)] = [
        ("active", true), ("warning", true), (nil, true), ("somethingNew", true), ("pending", false),
        ("disabled", false), ("deleted", false), ("blocked", false), ("lockedOut", false),
    ]

    @Test(arguments: subscriptions) func subscriptionStates(_ state: String?, _ works: Bool) {
        if works {
            #expect(throws: Never.self) { try CheckReport.judgeSubscription(state) }
        } else {
            #expect(throws: GraphFailure.self) { try CheckReport.judgeSubscription(state) }
        }
    }

    static let licences: [(ProviderFailure, Bool, ProviderFailure)] = [
        (.invalidRequest, false, .licenceMissing), (.invalidRequest, true, .licenceMissing),
        (.permissionMissing, true, .licenceMissing), (.permissionMissing, false, .permissionMissing),
        (.authRejected, true, .licenceMissing), (.throttled, true, .throttled), (.notFound, true, .notFound),
    ]

    @Test(arguments: licences)
    func whatAMissingLicenceLooksLike(
        _ failure: ProviderFailure, _ isGranted: Bool, _ expected: ProviderFailure
    ) {
        let read = GraphFailure(failure, call: "GET /x").readAsLicence(grantsDeviceManagement: isGranted)
        #expect(read.failure == expected)
    }

    static let permissions: [([String], Bool)] = [
        ([], false), (["DeviceManagementConfiguration.ReadWrite.All"], false),
        (["DeviceManagementConfiguration.ReadWrite.All", "DeviceManagementApps.ReadWrite.All"], false),
        (
            [
                "DeviceManagementConfiguration.ReadWrite.All", "DeviceManagementApps.ReadWrite.All",
                "DeviceManagementManagedDevices.ReadWrite.All",
            ], true
        ),
        (
            [
                "DeviceManagementConfiguration.ReadWrite.All", "DeviceManagementApps.ReadWrite.All",
                "DeviceManagementManagedDevices.PrivilegedOperations.All", "Other",
            ], true
        ),
        (
            [
                "DeviceManagementConfiguration.Read.All", "DeviceManagementApps.ReadWrite.All",
                "DeviceManagementManagedDevices.ReadWrite.All",
            ], false
        ),
    ]

    @Test(arguments: permissions) func whatChangesNeed(_ roles: [String], _ isEnough: Bool) throws {
        let claims = try #require(try claims(["roles": .array(roles.map(JSON.string))]))
        #expect(ChangePermissions.areIn(claims) == isEnough)
    }
}
