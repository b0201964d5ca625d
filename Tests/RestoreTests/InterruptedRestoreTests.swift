import Waiting
import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import RestoreConsumer

/// Restores that are disturbed half-way: what was begun is found out before anything is repeated.
@Suite struct InterruptedRestoreTests {
    /// Deletes what can come back: the items of a backup that a restore creates.
    private func deleted(_ stage: ProviderStage) async throws -> (id: RunID, documents: [BackupDocument]) {
        let backup = try await stage.backUp()
        let preview = backup.documents.filter {
            $0.item.secrets == 0 && ![.mobileApp, .scopeTag, .assignmentFilter].contains($0.item.kind)
        }
        for document in preview { try await stage.delete(document) }
        let chosen = try await stage.restore(backup.id, preview, .preview)
        let documents = preview.filter { chosen.items[$0.item.key]?.result == "create" }
        try #require(documents.count > 10)
        try await stage.clearJournal()
        return (backup.id, documents)
    }

    /// The write is done, and the connection breaks: the object is looked up, and not created again.
    @Test(arguments: 0..<6) func aWriteWhoseAnswerWasLostIsNotRepeated(_ skip: Int) async throws {
        try await ProviderStage.writable { stage in
            let backup = try await deleted(stage)
            try await stage.sandbox.arm(
                "resetAfterCommit", tenant: stage.entraTenant,
                ["writes": true, "skip": .int(skip * 2), "count": 1])
            let restore = try await stage.restore(backup.id, backup.documents)
            #expect(restore.result.counts[.applied] == backup.documents.count)
            #expect(restore.result.counts[.created] == backup.documents.count)
            let writes = try await stage.writes()
            let created = writes.filter { $0.change == "create" }
            #expect(created.count == backup.documents.count)
            #expect(Set(writes).count == writes.count, "a write was repeated")
        }
    }

    /// Lists lag: what is not listed yet is waited for.
    @Test func aLostCreateIsFoundThoughListsLag() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await deleted(stage)
            try await stage.sandbox.arm("listLag", tenant: stage.entraTenant, ["lagMs": 4_000])
            try await stage.sandbox.arm(
                "resetAfterCommit", tenant: stage.entraTenant, ["writes": true, "count": 1])
            let permit = try await stage.run(
                .restoreExecute, ProviderStage.parameters(backup.id, Array(backup.documents.prefix(3))))
            let result = try await stage.execute(permit, listLag: .seconds(8))
            #expect(result.counts[.applied] == 3)
            #expect(try await stage.writes().filter { $0.change == "create" }.count == 3)
        }
    }

    /// The connection breaks before anything is done: after the time in which it could still show, it is done again.
    @Test func aWriteThatWasNotCarriedOutIsDoneAgain() async throws {
        let limits = ProviderStage.shortCalls
        try await ProviderStage.writable(limits: limits) { stage in
            let backup = try await deleted(stage)
            try await stage.sandbox.arm(
                "reset", tenant: stage.entraTenant, ["writes": true, "skip": 2, "count": 1])
            let restore = try await stage.restore(backup.id, Array(backup.documents.prefix(4)))
            #expect(restore.result.counts[.applied] == 4)
            #expect(try await stage.writes().filter { $0.change == "create" }.count == 4)
        }
    }

    /// An answer that never comes: nobody knows, and it is said so.
    @Test func whatCannotBeKnownStaysInDoubt() async throws {
        try await ProviderStage.writable(limits: ProviderStage.shortCalls) { stage in
            let backup = try await deleted(stage)
            let scripts = backup.documents.of(.deviceScript)
            let lost = try #require(scripts.first)
            try await stage.sandbox.arm(
                "error", tenant: stage.entraTenant,
                ["writes": true, "path": "/beta/deviceManagement/deviceManagementScripts", "status": 500])
            let restore = try await stage.restore(backup.id, [lost])
            let item = try #require(restore.items[lost.item.key])
            #expect(item.state == .inDoubt)
            #expect(item.detail?.contains("not known") == true)
            #expect(restore.result.counts[.inDoubt] == 1)
            #expect(restore.result.counts[.total] == 1)
        }
    }

    @Test func throttledWritesAreRepeatedWhenItIsTime() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await deleted(stage)
            try await stage.sandbox.arm(
                "throttle", tenant: stage.entraTenant,
                ["writes": true, "skip": 3, "count": 2, "retryAfter": 1])
            let restore = try await stage.restore(backup.id, backup.documents)
            #expect(restore.result.counts[.applied] == backup.documents.count)
            let writes = try await stage.writes()
            #expect(Set(writes).count == writes.count)
        }
    }

    /// A long throttle ends the attempt with nothing in doubt, and the next one goes on where it stopped.
    @Test func anAttemptThatIsThrottledLeavesNothingInDoubt() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await deleted(stage)
            try await stage.sandbox.arm(
                "throttle", tenant: stage.entraTenant,
                ["writes": true, "skip": 4, "count": 1, "retryAfter": 60])
            let permit = try await stage.run(
                .restoreExecute, ProviderStage.parameters(backup.id, backup.documents))
            let first = try await stage.execute(permit)
            guard case .failed(.throttled, let counts, let wait) = first else {
                Issue.record("\(first)")
                return
            }
            #expect((wait ?? 0) > 50)
            #expect(
                counts[.applied] + counts[.untouched] + counts[.failed] + counts[.inDoubt] == counts[.total])
            let rows = try await stage.rows(of: permit)
            // Only what was created already may be unfinished.
            #expect(rows.values.filter { $0.state == .inDoubt }.allSatisfy { $0.objectID != nil })
        }
    }

    /// Authority is taken away after the k-th write: no call afterwards, and the counts are the journal's.
    @Test(arguments: [1, 4, 9]) func aRevokeStopsTheRest(_ k: Int) async throws {
        try await ProviderStage.writable { stage in
            let backup = try await deleted(stage)
            try await stage.sandbox.arm("slow", tenant: stage.entraTenant, ["delayMs": 30])
            let permit = try await stage.run(
                .restoreExecute, ProviderStage.parameters(backup.id, backup.documents))
            async let result = stage.execute(permit)
            _ = try await eventually("\(k) writes") { try await stage.writes().count >= k ? true : nil }
            _ = try await AuthorityChanges(pool: stage.database.pool, makeID: { UUID() }).apply(
                .revokeMembership(user: stage.world.owner, tenant: nil), in: stage.world.workspace,
                by: .system)
            let settled = try await stage.writes().count
            guard case .refused(let decision, let counts) = try await result else {
                Issue.record("it was not refused")
                return
            }
            #expect(decision.denial == .tenantNotEntitled)
            #expect(try await stage.writes().count == settled, "a write after the revoke's answer")
            #expect(counts[.total] == backup.documents.count)
            #expect(
                counts[.applied] + counts[.untouched] + counts[.failed] + counts[.inDoubt] == counts[.total])
            #expect(counts[.untouched] > 0)
            let created = try await stage.writes().filter { $0.change == "create" }.count
            #expect(created == counts[.applied] + counts[.inDoubt])
            let rows = try await stage.rows(of: permit)
            #expect(rows.values.filter { $0.state == .inDoubt }.allSatisfy { $0.objectID != nil })
        }
    }

    /// A person's cancel ends it in the same way.
    @Test func aCancelStopsTheRest() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await deleted(stage)
            try await stage.sandbox.arm("slow", tenant: stage.entraTenant, ["delayMs": 30])
            let permit = try await stage.run(
                .restoreExecute, ProviderStage.parameters(backup.id, backup.documents))
            async let result = stage.execute(permit)
            _ = try await eventually("a write") { try await stage.writes().count >= 3 ? true : nil }
            _ = try await stage.database.pool.query("UPDATE runs SET cancel_requested = true")
            guard case .cancelled(let counts) = try await result else {
                Issue.record("it was not cancelled")
                return
            }
            #expect(counts[.untouched] > 0)
            #expect(counts[.applied] + counts[.untouched] + counts[.inDoubt] == counts[.total])
        }
    }
}
