import Fixtures
import Foundation
import Operations
import Postgres
import Store
import Testing

@Suite("Ledger", .serialized)
struct LedgerTests {
    @Test("items and position are recorded together; a later state of an item replaces the earlier")
    func upsert() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let ledger = Ledger(pool: stand.pool)
            #expect(try await ledger.progress(of: executing.id) == nil)
            try await ledger.record(
                [
                    Ledger.Item(key: "a", state: .applied, result: "compliant"),
                    Ledger.Item(key: "b", state: .inDoubt, result: nil),
                ], progress: Ledger.Progress(done: 2, total: nil, cursor: "next"), under: executing.permit)
            #expect(
                try await ledger.progress(of: executing.id)
                    == Ledger.Progress(done: 2, total: nil, cursor: "next"))
            try await ledger.record(
                [
                    Ledger.Item(key: "b", state: .applied, result: "compliant"),
                    Ledger.Item(key: "c", state: .failed, result: "not_found"),
                ], progress: Ledger.Progress(done: 3, total: 3, cursor: nil), under: executing.permit)
            #expect(
                try await ledger.progress(of: executing.id)
                    == Ledger.Progress(done: 3, total: 3, cursor: nil))
            #expect(
                try await tally(ledger, executing.id)
                    == ["applied compliant": 2, "failed not_found": 1])
        }
    }

    @Test("an intent has its moment, keeps it when it is settled, and can be taken back")
    func intent() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let ledger = Ledger(pool: stand.pool)
            let position = Ledger.Progress(done: 0, total: 2, cursor: nil)
            let begun = Ledger.Item(
                key: "a", state: .inDoubt, result: "creating", label: "script «A»", detail: "Sent.")
            try await ledger.record(
                [begun, Ledger.Item(key: "b", state: .inDoubt, result: "creating")], progress: position,
                under: executing.permit)
            let first = try await ledger.items(of: executing.id, limit: 10)
            #expect(first.map(\.item.key) == ["a", "b"])
            #expect(first[0].item == begun)
            let moment = try #require(first[0].intendedAt)
            #expect(try #require(first[0].age) >= 0)
            let done = Ledger.Item(
                key: "a", state: .applied, result: "created", label: "script «A»", objectID: "new")
            try await ledger.record([done], cleared: ["b"], progress: position, under: executing.permit)
            let second = try await ledger.items(of: executing.id, limit: 10)
            #expect(second.map(\.item) == [done])
            #expect(second[0].intendedAt == moment)
        }
    }

    @Test("items come in pages by their keys")
    func pages() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let ledger = Ledger(pool: stand.pool)
            let items = ["d", "a", "c", "b"].map {
                Ledger.Item(key: $0, state: .planned, result: "create", detail: "Detail of \($0)")
            }
            try await ledger.record(
                items, progress: Ledger.Progress(done: 4, total: 4, cursor: nil), under: executing.permit)
            let first = try await ledger.page(of: executing.id, after: nil, limit: 3)
            #expect(first.entries.map(\.key) == ["a", "b", "c"])
            #expect(first.entries.first?.detail == "Detail of a")
            #expect(first.hasMore)
            let second = try await ledger.page(of: executing.id, after: "c", limit: 3)
            #expect(second.entries.map(\.key) == ["d"])
            #expect(!second.hasMore)
        }
    }

    @Test("of a key that comes twice on one page, the last counts")
    func twice() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let ledger = Ledger(pool: stand.pool)
            try await ledger.record(
                [
                    Ledger.Item(key: "a", state: .failed, result: "timeout"),
                    Ledger.Item(key: "b", state: .skipped, result: nil),
                    Ledger.Item(key: "a", state: .applied, result: nil),
                ], progress: Ledger.Progress(done: 2, total: nil, cursor: nil), under: executing.permit)
            #expect(try await tally(ledger, executing.id) == ["applied": 1, "skipped": 1])
        }
    }

    @Test("a position alone is recorded too")
    func positionAlone() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let ledger = Ledger(pool: stand.pool)
            let progress = Ledger.Progress(done: 0, total: 10, cursor: "first")
            try await ledger.record([], progress: progress, under: executing.permit)
            #expect(try await ledger.progress(of: executing.id) == progress)
            #expect(try await ledger.tally(of: executing.id).isEmpty)
        }
    }

    enum Loss: String, CaseIterable { case nextAttempt, queued, completed }

    @Test("an attempt that was given up records nothing", arguments: Loss.allCases)
    func fence(loss: Loss) async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let ledger = Ledger(pool: stand.pool)
            let before = Ledger.Progress(done: 1, total: nil, cursor: "x")
            try await ledger.record(
                [Ledger.Item(key: "a", state: .applied, result: nil)], progress: before,
                under: executing.permit)
            switch loss {
            case .nextAttempt: _ = try await stand.pool.query("UPDATE runs SET attempt = 2")
            case .queued: _ = try await stand.pool.query("UPDATE runs SET state = 'queued', worker_id = NULL")
            case .completed:
                _ = try await stand.runs(of: executing.worker).finish(
                    executing.run, .completed(SummaryCounts()))
            }
            await #expect {
                try await ledger.record(
                    [
                        Ledger.Item(key: "a", state: .failed, result: "late"),
                        Ledger.Item(key: "b", state: .applied, result: "late"),
                    ], progress: Ledger.Progress(done: 9, total: nil, cursor: "late"),
                    under: executing.permit)
            } throws: { error in
                if case .attemptLost? = error as? CallRefusal { true } else { false }
            }
            #expect(try await ledger.progress(of: executing.id) == before)
            #expect(try await tally(ledger, executing.id) == ["applied": 1])
        }
    }

    private func tally(_ ledger: Ledger, _ run: RunID) async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for entry in try await ledger.tally(of: run) {
            let words = [entry.state.rawValue, entry.result].compactMap(\.self)
            counts[words.joined(separator: " ")] = entry.count
        }
        return counts
    }
}
