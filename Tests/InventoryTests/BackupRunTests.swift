import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import InventoryConsumer

/// Backup sets, against the real sandbox.
@Suite struct BackupRunTests {
    private static let few = ProviderStage.fewCount

    /// A backup that is to go through: its set, and its items with their documents.
    private func backup(
        _ stage: ProviderStage, _ parameters: JSON? = nil
    ) async throws -> (set: BackupSummary, documents: [BackupDocument], counts: SummaryCounts) {
        let permit = try await stage.run(.backupRun, parameters)
        let result = try await stage.execute(permit)
        try await stage.end(permit)
        if case .completed = result {} else { Issue.record("\(result)") }
        let reading = BackupReading(pool: stage.database.pool)
        let set = try #require(try await reading.set(permit.execution.runID))
        return (set, try await reading.all(of: set), result.counts)
    }

    @Test func twoBackupsOfAnUnchangedTenantAreEqual() async throws {
        try await ProviderStage.few { stage in
            let first = try await backup(stage)
            let contents = try await stage.count("SELECT count(*) FROM policy_contents")
            let second = try await backup(stage)
            #expect(
                [first.counts[.total], first.counts[.applied], first.counts[.failed]] == [
                    Self.few, Self.few, 0,
                ])
            #expect(first.documents.count == Self.few)
            #expect(first.set.id != second.set.id)
            #expect(first.set.contentHash != nil)
            #expect(first.set.contentHash == second.set.contentHash)
            #expect(first.documents == second.documents)
            // Equal contents are kept once.
            #expect(try await stage.count("SELECT count(*) FROM policy_contents") == contents)
            let sets = try await BackupReading(pool: stage.database.pool).sets(
                of: [stage.world.tenant], before: nil, limit: 10)
            #expect(Set(sets.entries) == [first.set, second.set])
        }
    }

    @Test func aChangedPolicyMakesAnotherSetAndNoOtherItemDiffers() async throws {
        try await ProviderStage.few { stage in
            let first = try await backup(stage)
            let id = try #require(try await stage.ids("assignmentFilters").first)
            try await stage.entities(
                "PATCH", "/assignmentFilters/\(id)", ["rule": "(device.model -eq \"X\")"])
            let second = try await backup(stage)
            #expect(first.set.contentHash != second.set.contentHash)
            let differing = zip(first.documents, second.documents).filter { $0 != $1 }
            #expect(differing.map(\.0.item.policyID) == [id])
            #expect(differing.map(\.0.item.id) == differing.map(\.1.item.id))
        }
    }

    @Test func onlyTheChosenKindsAreRead() async throws {
        try await ProviderStage.few { stage in
            let backup = try await backup(stage, ["kinds": ["scope_tag", "device_script"]])
            #expect(Set(backup.documents.map(\.item.kind)) == [.scopeTag, .deviceScript])
            #expect(backup.documents.count == 4)
            #expect(backup.set.kinds == [.deviceScript, .scopeTag])
            #expect(backup.set.completedAt != nil)
            #expect(try await stage.listCalls("/beta/deviceManagement/deviceConfigurations") == 0)
        }
    }

    @Test func aSetThatLacksSomethingStaysAPart() async throws {
        let roles = ProviderStage.allReaders.filter { $0 != "Policy.Read.All" }
        try await ProviderStage.few(roles: roles) { stage in
            let backup = try await backup(stage)
            #expect(backup.set.completedAt == nil)
            #expect(backup.set.contentHash == nil)
            #expect([backup.counts[.applied], backup.counts[.failed]] == [Self.few - 2, 1])
        }
    }

    @Test func itemsComeInPages() async throws {
        try await ProviderStage.few { stage in
            let backup = try await backup(stage)
            let reading = BackupReading(pool: stage.database.pool)
            var found: [BackupItem] = []
            var after: UUID?
            for _ in 0..<10 {
                let page = try await reading.items(
                    of: backup.set.id, in: stage.world.tenant, after: after, limit: 7)
                found += page.entries
                after = page.entries.last?.id
                if !page.hasMore { break }
            }
            #expect(found == backup.documents.map(\.item))
        }
    }

    @Test func noSecretOfAPolicyIsInAnyRow() async throws {
        try await ProviderStage.few { stage in
            let configurations = try await stage.ids("deviceConfigurations")
            try await stage.entities(
                "PATCH", "/deviceConfigurations/\(configurations[0])",
                ["preSharedKey": "canary-psk-71", "radius": ["sharedSecret": "canary-radius-72"]])
            var secrets = ["canary-psk-71", "canary-radius-72", ProviderStage.secret]
            for (_, set) in try #require(try await stage.entities("GET").object).members {
                for entity in set.array ?? [] {
                    for (reference, plain) in entity["secrets"]?.object?.members ?? [] {
                        secrets += [reference, plain.string ?? ""]
                    }
                }
            }
            // What the sandbox keeps encrypted: settings of both kinds.
            #expect(secrets.count > 3 + 4)
            try #require(secrets.allSatisfy { $0.utf8.count > 5 })
            for type in [OperationType.inventorySync, .policySync, .backupRun] {
                try await stage.complete(type)
            }
            #expect(try await found(secrets, stage) == [])
            // The search finds what is there, in documents too.
            let name = try #require(try await stage.document(.deviceConfiguration, configurations[0]))
            let control = try #require(name["displayName"]?.string)
            #expect(try await found([control], stage).contains("policy_contents"))
            #expect(
                try await stage.count("SELECT count(*) FROM policy_contents WHERE secrets > 0") > 2)
            for secret in secrets { #expect(!stage.log.text.contains(secret)) }
        }
    }

    /// The tables that hold one of the texts in some row: plain, or in a column of bytes.
    private func found(_ texts: [String], _ stage: ProviderStage) async throws -> Set<String> {
        let hex = texts.map { text in
            text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let rows = try await stage.database.pool.query(
            """
            SELECT DISTINCT c.relname::text
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, unnest($1::text[]) AS s (secret)
            WHERE n.nspname = 'public' AND c.relkind = 'r'
              AND (xpath('/row/n/text()', query_to_xml(
                  format('SELECT count(*) AS n FROM %I t WHERE strpos(t::text, %L) > 0', c.relname, s.secret),
                  false, true, '')))[1]::text <> '0'
            """, [.texts(texts + hex)])
        return Set(try rows.map { try $0.text(0) })
    }

    @Test(arguments: [0, 3, 8, 12, 16])
    func anotherAttemptCompletesTheSameSet(_ calls: Int) async throws {
        try await ProviderStage.few { stage in
            let whole = try await backup(stage)
            try await stage.sandbox.arm(
                "outage", tenant: stage.entraTenant,
                ["path": "/beta/*", "skip": .int(calls), "retryAfter": 120])
            let first = try await stage.run(.backupRun)
            guard case .failed(.unavailable, _, 120) = try await stage.execute(first) else {
                Issue.record("not failed")
                return
            }
            try await stage.sandbox.control("DELETE", "/faults")
            guard
                case .completed(let counts) = try await stage.execute(try await stage.nextAttempt(of: first))
            else {
                Issue.record("not completed")
                return
            }
            #expect(counts[.applied] == Self.few)
            let set = try #require(
                try await BackupReading(pool: stage.database.pool).set(first.execution.runID))
            #expect(set.contentHash == whole.set.contentHash)
            #expect(set.completedAt != nil)
        }
    }
}

extension BackupReading {
    /// Every item of a set with its document.
    func all(of set: BackupSummary) async throws -> [BackupDocument] {
        let items = try await items(of: set.id, in: set.tenant.id, after: nil, limit: 200).entries
        var documents: [BackupDocument] = []
        for start in stride(from: 0, to: items.count, by: Self.documentLimit) {
            let some = items[start..<min(start + Self.documentLimit, items.count)]
            documents += try await self.documents(some.map(\.id), of: set.id, in: set.tenant.id)
        }
        return documents
    }
}
