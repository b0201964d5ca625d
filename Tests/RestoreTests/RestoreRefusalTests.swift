import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import RestoreConsumer

/// What a restore must not write.
@Suite struct RestoreRefusalTests {
    private static let reportOnly = "enabledForReportingButNotEnforced"

    @Test func aMaskedSecretIsNeverWritten() async throws {
        try await ProviderStage.writable(["deviceConfigurations": 30, "configurationPolicies": 6]) { stage in
            let backup = try await stage.backUp()
            let masked = backup.documents.filter { $0.item.secrets > 0 }
            #expect(Set(masked.map(\.item.kind)) == [.deviceConfiguration, .settingsCatalogPolicy])
            // Deleted, changed, or only assigned to somebody else.
            let groups = Dictionary(grouping: masked.enumerated(), by: { $0.offset % 2 })
                .mapValues { $0.map(\.element) }
            for document in groups[0]! { try await stage.delete(document) }
            for document in groups[1]! { try await stage.change(document, ["description": "damaged"]) }
            try await stage.clearJournal()
            let restore = try await stage.restore(backup.id, masked)
            #expect(restore.items.values.allSatisfy { $0.state == .failed && $0.result == "secrets_masked" })
            #expect(try await stage.writes().isEmpty)
            let texts = restore.items.values.compactMap(\.detail)
            #expect(texts.allSatisfy { $0.contains("secret") })
        }
    }

    @Test func conditionalAccessComesBackReportOnlyOrDisabled() async throws {
        try await ProviderStage.writable(["conditionalAccessPolicies": 12]) { stage in
            let backup = try await stage.backUp()
            let policies = backup.documents.of(.conditionalAccessPolicy)
            #expect(Set(policies.map { $0.content["state"]?.string }).count == 3)
            // Some are deleted, some changed, and some left as they are.
            for (index, policy) in policies.enumerated() where index % 3 == 0 {
                try await stage.delete(policy)
            }
            for (index, policy) in policies.enumerated() where index % 3 == 1 {
                try await stage.change(policy, ["displayName": "damaged"])
            }
            let restore = try await stage.restore(backup.id, policies)
            for (index, policy) in policies.enumerated() {
                let item = try #require(restore.items[policy.item.key])
                #expect(item.state == .applied, "\(item)")
                let live = try await stage.entities("GET", "/conditionalAccessPolicies/\(item.objectID!)")
                let stored = policy.content["state"]?.string
                let expected = index % 3 == 2 || stored != "enabled" ? stored : Self.reportOnly
                #expect(live["state"]?.string == expected)
                if live["state"]?.string != stored { #expect(item.detail?.contains("report-only") == true) }
            }
            // Once more there is nothing to do, and nothing is turned off.
            try await stage.clearJournal()
            let again = try await stage.restore(backup.id, policies)
            #expect(again.result.counts[.unchanged] == policies.count)
            #expect(try await stage.writes().isEmpty)
        }
    }

    @Test(arguments: RestoreParameters.Mode.allCases)
    func anotherDirectoryIsFoundOutBeforeTheFirstWrite(_ mode: RestoreParameters.Mode) async throws {
        try await ProviderStage.writable { stage in
            let backup = try await stage.backUp()
            let script = backup.documents.of(.deviceScript)[0]
            try await stage.delete(script)
            try await stage.clearJournal()
            // The login answers for a domain with the token of the directory that has it now.
            let domain = "t\(stage.entraTenant.prefix(8)).onmicrosoft.com"
            let permit = try await stage.run(
                .restoreExecute, ProviderStage.parameters(backup.id, [script], mode), entraTenant: domain)
            guard case .failed(.tenantMismatch, let counts, _) = try await stage.execute(permit) else {
                Issue.record("it was not refused")
                return
            }
            #expect([counts[.total], counts[.untouched]] == [1, 1])
            #expect(try await stage.writes().isEmpty)
            #expect(try await stage.rows(of: permit).isEmpty)
            #expect(
                try await stage.sandbox.calls(tenant: stage.entraTenant).map(\.path).last
                    == "/v1.0/organization")
        }
    }

    @Test func aClosedWriteGateLetsNothingThrough() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await stage.backUp()
            let script = backup.documents.of(.deviceScript)[0]
            try await stage.delete(script)
            try await stage.setWriteGate(isOpen: false)
            try await stage.clearJournal()
            let restore = try await stage.restore(backup.id, [script])
            guard case .refused(let decision, let counts) = restore.result else {
                Issue.record("\(restore.result)")
                return
            }
            #expect(decision.denial == .writeGateClosed)
            #expect([counts[.total], counts[.untouched], counts[.applied]] == [1, 1, 0])
            #expect(try await stage.writes().isEmpty)
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).isEmpty)
        }
    }
}
