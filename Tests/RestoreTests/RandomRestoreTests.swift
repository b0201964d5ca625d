import Fixtures
import FoundationEssentials
import Graph
import GraphFixtures
import JSON
import Operations
import Store
import Testing

@testable import RestoreConsumer

/// Random damage, and random selections of it.
@Suite struct RandomRestoreTests {
    private static let rounds = 10
    private static let selectionsARound = 21

    /// 210 selections: of the objects that were written exactly those are selected and differ, and nothing else in the
    /// tenant changes.
    @Test(arguments: ["documented", "observed"])
    func exactlyTheSelectedObjectsAreWritten(_ statuses: String) async throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<(Self.rounds / 2) {
            try await ProviderStage.writable(statuses: statuses) { stage in
                let backup = try await stage.backUp()
                for _ in 0..<Self.selectionsARound {
                    try await damage(stage, backup.documents, &random)
                    let selected = backup.documents.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
                    guard !selected.isEmpty else { continue }
                    let before = try await stage.tenantState()
                    try await stage.clearJournal()
                    let restore = try await stage.restore(backup.id, selected)
                    try await check(stage, restore, selected, before)
                }
            }
        }
    }

    private func check(
        _ stage: ProviderStage, _ restore: (result: ExecutionResult, items: [String: Ledger.Item]),
        _ selected: [BackupDocument], _ before: [String: JSON]
    ) async throws {
        let counts = restore.result.counts
        #expect(counts[.total] == selected.count)
        #expect(
            counts[.applied] + counts[.untouched] + counts[.failed] + counts[.inDoubt] == counts[.total])
        #expect(counts[.inDoubt] == 0 && counts[.untouched] == 0)
        let byKey = Dictionary(uniqueKeysWithValues: selected.map { ($0.item.key, $0.item) })
        var written: Set<String> = []
        for item in restore.items.values {
            let kind = try #require(byKey[item.key]?.kind)
            guard item.state == .applied, item.result != "unchanged" else { continue }
            written.insert("\(ProviderStage.entitySets[kind]!)/\(try #require(item.objectID))")
        }
        let journal = try await stage.writes()
        #expect(Set(journal.map(\.object)) == written)
        // Each at most once in each way.
        #expect(Set(journal).count == journal.count)
        let after = try await stage.tenantState()
        let differing = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
        #expect(differing.isSubset(of: written), "\(differing.subtracting(written))")
        for item in restore.items.values where item.state == .failed {
            #expect(item.detail?.isEmpty == false)
        }
    }

    /// Everything that is damaged comes back, but for what is named.
    @Test(arguments: ["documented", "observed"])
    func aDamagedTenantComparesEqualToTheBackup(_ statuses: String) async throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3 {
            try await ProviderStage.writable(statuses: statuses) { stage in
                let backup = try await stage.backUp()
                for _ in 0..<3 { try await damage(stage, backup.documents, &random) }
                let restore = try await stage.restore(backup.id, nil)
                let failed = restore.items.values.filter { $0.state == .failed }
                let named: Set = ["secrets_masked", "group_missing", "not_writable", "fixed_differs"]
                #expect(failed.allSatisfy { named.contains($0.result ?? "") }, "\(failed)")
                let again = try await stage.backUp()
                let present = Dictionary(
                    uniqueKeysWithValues: again.documents.map { (Self.object($0), $0) })
                for document in backup.documents {
                    let item = try #require(restore.items[document.item.key])
                    guard item.state == .applied else { continue }
                    let kind = document.item.kind
                    let found = try #require(present["\(kind.rawValue)/\(item.objectID!)"])
                    let expected = Self.comparable(document, restore.items, backup.documents)
                    #expect(
                        Self.comparable(found, [:], []).canonicalBytes == expected.canonicalBytes,
                        "\(JSON.object(found.content).text)\n\(JSON.object(document.content).text)")
                }
                let names = Set(again.documents.map(\.item.id))
                let lacking = backup.documents.filter { document in
                    !names.contains(document.item.id) && restore.items[document.item.key]?.state != .applied
                }
                // Whatever is not there is named.
                #expect(lacking.allSatisfy { restore.items[$0.item.key]?.state == .failed })
            }
        }
    }

    private static func object(_ document: BackupDocument) -> String {
        "\(document.item.kind.rawValue)/\(document.item.policyID)"
    }

    /// A document as a restore can bring it back: with the new ids of what it refers to, report-only, and without what a
    /// policy set assigned.
    private static func comparable(
        _ document: BackupDocument, _ items: [String: Ledger.Item], _ all: [BackupDocument]
    ) -> JSON {
        var successors: [String: String] = [:]
        for other in all where [.assignmentFilter, .scopeTag].contains(other.item.kind) {
            successors[other.item.policyID] = items[other.item.key]?.objectID
        }
        func mapped(_ value: JSON, _ isReference: Bool) -> JSON {
            switch value {
            case .string(let text): .string(isReference ? successors[text] ?? text : text)
            case .array(let elements): .array(elements.map { mapped($0, isReference) })
            case .object(let object):
                .object(
                    JSONObject(
                        object.members.filter { !$0.value.isNull && $0.value != "" }.map { name, member in
                            let refers = [
                                "roleScopeTagIds", "roleScopeTags",
                                "deviceAndAppManagementAssignmentFilterId",
                            ]
                            return (name, mapped(member, refers.contains(name)))
                        }))
            default: value
            }
        }
        var content = document.content
        if content["state"] == "enabled" { content["state"] = Change.reportOnly }
        let direct = References.direct(content).map { mapped($0, false) }
        if content["assignments"] != nil {
            content["assignments"] = .array(
                direct.sorted { $0.canonicalBytes.lexicographicallyPrecedes($1.canonicalBytes) })
        }
        return mapped(.object(content), false)
    }

    // MARK: damage

    /// Deletes, changes and re-assigns some objects, as somebody does past all rules.
    private func damage(
        _ stage: ProviderStage, _ documents: [BackupDocument], _ random: inout SystemRandomNumberGenerator
    ) async throws {
        let present = Set(try await stage.tenantState().keys)
        for document in documents where document.item.kind != .mobileApp {
            let path = stage.path(of: document)
            guard present.contains(String(path.dropFirst())), document.item.policyID != "0" else { continue }
            switch Int.random(in: 0..<12, using: &random) {
            case 0: try await stage.delete(document)
            case 1, 2:
                let name = document.item.kind == .conditionalAccessPolicy ? "displayName" : "description"
                try await stage.change(
                    document, [name: .string("damaged \(Int.random(in: 0..<99, using: &random))")])
            case 3 where document.content["assignments"] != nil:
                try await stage.change(document, ["assignments": []])
            default: break
            }
        }
    }
}
