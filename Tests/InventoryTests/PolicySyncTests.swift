import Waiting
import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import InventoryConsumer

/// Versions of policies, against the real sandbox.
@Suite struct PolicySyncTests {
    private static let few = ProviderStage.fewCount
    private static let catalogue = "/beta/deviceManagement/configurationPolicies"

    private func numbers(_ counts: SummaryCounts) -> [Int] {
        [counts[.total], counts[.applied], counts[.changed], counts[.gone], counts[.failed]]
    }

    @Test func everyPolicyGetsAVersionWithAllItsParts() async throws {
        try await ProviderStage.few { stage in
            #expect(numbers(try await stage.complete(.policySync)) == [Self.few, Self.few, Self.few, 0, 0])
            #expect(
                try await stage.count("SELECT count(*) FROM policy_versions WHERE version = 1") == Self.few)
            let truth = try await stage.entities("GET")
            for (kind, set) in ProviderStage.sets {
                let entities = truth[set]?.array ?? []
                for entity in entities {
                    let id = try #require(entity["id"]?.string)
                    let document = try #require(try await stage.document(kind, id))
                    for (part, _) in document.members.filter({ $0.value.array != nil }) {
                        #expect(
                            document[part]?.array?.count == entity[part]?.array?.count,
                            "\(kind) \(id) \(part)")
                    }
                    for part in ["assignments", "settings", "scheduledActionsForRule", "apps"] {
                        let count = entity[part]?.array?.count ?? 0
                        #expect((document[part]?.array?.count ?? 0) == count, "\(kind) \(id) \(part)")
                    }
                    if kind == .deviceScript {
                        #expect(document["scriptContent"]?.string == entity["scriptContent"]?.string)
                    }
                    #expect(document["id"] == nil)
                }
                let kept = try await stage.database.pool.query(
                    "SELECT count(*) FROM inventory_policies WHERE kind = $1", [.text(kind.rawValue)])
                #expect(try kept[0].int(0) == entities.count)
            }
        }
    }

    @Test func anUnchangedPolicyMakesNoVersion() async throws {
        try await ProviderStage.few { stage in
            try await stage.complete(.policySync)
            // The service touches policies without changing them.
            for set in ProviderStage.sets.values
            where set != "conditionalAccessPolicies" && set != "roleScopeTags" {
                let id = try #require(try await stage.ids(set).first)
                try await stage.entities(
                    "PATCH", "/\(set)/\(id)", ["lastModifiedDateTime": "2031-01-01T00:00:00.1234567Z"])
            }
            #expect(numbers(try await stage.complete(.policySync)) == [Self.few, Self.few, 0, 0, 0])
            #expect(try await stage.count("SELECT count(*) FROM policy_versions") == Self.few)
        }
    }

    @Test func whatChangedGetsAVersionAndWhatIsGoneIsCounted() async throws {
        try await ProviderStage.few { stage in
            try await stage.complete(.policySync)
            let configurations = try await stage.ids("deviceConfigurations")
            let catalogue = try await stage.ids("configurationPolicies")
            let scripts = try await stage.ids("deviceManagementScripts")
            try await stage.entities(
                "PATCH", "/deviceConfigurations/\(configurations[0])", ["description": "another"])
            try await stage.entities(
                "PATCH", "/deviceConfigurations/\(configurations[1])", ["assignments": []])
            let all = try await stage.entities("GET", "/configurationPolicies/\(catalogue[0])")
            let settings = try #require(all["settings"]?.array)
            try await stage.entities(
                "PATCH", "/configurationPolicies/\(catalogue[0])",
                ["settings": .array(Array(settings.dropLast()))])
            try await stage.entities(
                "PATCH", "/deviceManagementScripts/\(scripts[0])", ["scriptContent": "QUJD"])
            try await stage.entities("DELETE", "/deviceConfigurations/\(configurations[2])")
            let seen = Self.few - 1
            // The second of the configurations had an assignment, or nothing would have changed.
            let before = try #require(
                try await stage.document(.deviceConfiguration, configurations[1])?["assignments"]?.array)
            #expect(!before.isEmpty)
            #expect(numbers(try await stage.complete(.policySync)) == [seen, seen, 4, 1, 0])
            #expect(try await stage.count("SELECT count(*) FROM policy_versions WHERE version = 2") == 4)
            #expect(numbers(try await stage.complete(.policySync)) == [seen, seen, 0, 0, 0])

            // A content that comes back is a version, and no other content.
            try await stage.entities(
                "PATCH", "/deviceConfigurations/\(configurations[1])", ["assignments": .array(before)])
            let contents = try await stage.count("SELECT count(*) FROM policy_contents")
            let counts = try await stage.complete(.policySync)
            #expect([counts[.changed], counts[.gone]] == [1, 0])
            #expect(try await stage.count("SELECT count(*) FROM policy_versions WHERE version = 3") == 1)
            #expect(try await stage.count("SELECT count(*) FROM policy_contents") == contents)
        }
    }

    @Test func aPolicyThatCantBeReadIsNamedAndIsNotGone() async throws {
        try await ProviderStage.few { stage in
            try await stage.complete(.policySync)
            let id = try #require(try await stage.ids("deviceManagementScripts").first)
            try await stage.sandbox.arm(
                "error", tenant: stage.entraTenant,
                [
                    "path": .string("/beta/deviceManagement/deviceManagementScripts/\(id)"), "status": 403,
                    "code": "Forbidden",
                ])
            let permit = try await stage.run(.policySync)
            let result = try await stage.execute(permit)
            guard case .completed(let counts) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(numbers(counts) == [Self.few, Self.few - 1, 0, 0, 1])
            #expect(try await stage.items(of: permit).keys.sorted() == ["device_script: \(id)"])
            #expect(
                try await stage.count("SELECT count(*) FROM inventory_policies WHERE gone_at IS NOT NULL")
                    == 0)
        }
    }

    @Test func whatVanishesWhileItIsListedIsGone() async throws {
        try await ProviderStage.few { stage in
            try await stage.complete(.policySync)
            let id = try #require(try await stage.ids("deviceManagementScripts").first)
            try await stage.sandbox.arm("listLag", tenant: stage.entraTenant, ["reads": 50])
            let token = try await stage.token(roles: ["DeviceManagementScripts.ReadWrite.All"])
            let status = try await stage.graph(
                "DELETE", "/beta/deviceManagement/deviceManagementScripts/\(id)", token
            ).status
            #expect((200..<300).contains(status))
            let permit = try await stage.run(.policySync)
            let result = try await stage.execute(permit)
            guard case .completed(let counts) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(
                [counts[.applied], counts[.gone], counts[.skipped], counts[.failed]] == [
                    Self.few - 1, 1, 1, 0,
                ])
            #expect(try await stage.items(of: permit) == ["device_script: \(id)": "skipped vanished"])
        }
    }

    @Test func anExpiredLinkOfSettingsStartsThemAgain() async throws {
        // The first one has 300 settings: 12 pages.
        try await ProviderStage.few { stage in
            let id = try #require(
                try await stage.entities("GET", "/configurationPolicies")["value"]?.array?
                    .max { ($0["settings"]?.array?.count ?? 0) < ($1["settings"]?.array?.count ?? 0) }?["id"]?
                    .string)
            let path = "\(Self.catalogue)/\(id)/settings"
            try await stage.sandbox.arm(
                "expiredSkipToken", tenant: stage.entraTenant, ["path": .string(path), "skip": 2, "count": 1])
            #expect(numbers(try await stage.complete(.policySync)) == [Self.few, Self.few, Self.few, 0, 0])
            let settings =
                try await stage.document(.settingsCatalogPolicy, id)?["settings"]?.array?.count ?? 0
            #expect(settings == 300)
            #expect(try await stage.listCalls(path) > 12)
        }
    }

    @Test(arguments: InventorySyncTests.nuisances)
    func nuisancesChangeNothing(_ kind: String, _ fault: JSONObject) async throws {
        try await ProviderStage.few { stage in
            try await stage.complete(.policySync)
            try await stage.sandbox.arm(kind, tenant: stage.entraTenant, fault)
            #expect(numbers(try await stage.complete(.policySync)) == [Self.few, Self.few, 0, 0, 0])
        }
    }

    /// The provider fails at some call: the next attempt goes on, and what comes of both is what one would have made.
    @Test(arguments: [1, 4, 9, 14, 17, 21])
    func anotherAttemptGoesOnWhereTheFirstStopped(_ calls: Int) async throws {
        try await ProviderStage.few { stage in
            try await stage.sandbox.arm(
                "outage", tenant: stage.entraTenant,
                ["path": "/beta/*", "skip": .int(calls), "retryAfter": 120])
            let first = try await stage.run(.policySync)
            guard case .failed(.unavailable, _, 120) = try await stage.execute(first) else {
                Issue.record("not failed")
                return
            }
            try await stage.sandbox.control("DELETE", "/faults")
            let result = try await stage.execute(try await stage.nextAttempt(of: first))
            guard case .completed(let counts) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(numbers(counts) == [Self.few, Self.few, Self.few, 0, 0])
            #expect(try await stage.count("SELECT count(*) FROM policy_versions") == Self.few)
            try await stage.end(first)
            #expect(numbers(try await stage.complete(.policySync)) == [Self.few, Self.few, 0, 0, 0])
        }
    }

    @Test func anAttemptAfterTheLastPageReadsNothingAgain() async throws {
        try await ProviderStage.few { stage in
            let first = try await stage.run(.policySync)
            _ = try await stage.execute(first)
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant).count
            // As if the worker had been killed before the result was written.
            guard
                case .completed(let counts) = try await stage.execute(try await stage.nextAttempt(of: first))
            else {
                Issue.record("not completed")
                return
            }
            #expect(numbers(counts) == [Self.few, Self.few, Self.few, 0, 0])
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).count == calls)
        }
    }

    @Test func aRevokeStopsItBetweenPolicies() async throws {
        try await ProviderStage.few { stage in
            try await stage.sandbox.arm(
                "slow", tenant: stage.entraTenant, ["path": "/beta/*", "skip": 3, "delayMs": 400])
            let permit = try await stage.run(.policySync)
            async let running = stage.execute(permit)
            _ = try await eventually("the first page") {
                try await stage.ledger.progress(of: permit.execution.runID).flatMap { $0.done > 0 ? $0 : nil }
            }
            let answer = try await AuthorityChanges(pool: stage.database.pool, makeID: { UUID() }).apply(
                .revokeMembership(user: stage.world.operator, tenant: nil), in: stage.world.workspace,
                by: .user(stage.world.owner))
            #expect(answer.settledAt != nil)
            let settledCalls = try await stage.sandbox.calls(tenant: stage.entraTenant).count
            guard case .refused(let decision, let counts) = try await running else {
                Issue.record("not refused")
                return
            }
            #expect(decision.denial == .tenantNotEntitled)
            #expect((1..<Self.few).contains(counts[.applied]))
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).count == settledCalls)
            #expect(
                try await stage.count("SELECT count(*) FROM inventory_policies WHERE gone_at IS NOT NULL")
                    == 0)
        }
    }
}
