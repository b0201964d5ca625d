import Fixtures
import Foundation
import Operations
import Postgres
import Store
import Testing

@Suite("Queue figures", .serialized)
struct QueueFiguresTests {
    @Test("without work every family is there, with zeros")
    func nothing() async throws {
        try await Stand.with { stand in
            let figures = try await QueueFigures.read(stand.pool)
            #expect(Set(figures.families.keys) == Set(OperationFamily.allCases))
            #expect(figures.families.values.allSatisfy { $0 == QueueFigures.Family() })
            #expect(figures.dueChunks == 0 && figures.oldestChunkSeconds == 0)
            #expect(figures.overdueMessages == 0 && figures.oldestMessageSeconds == 0)
        }
    }

    @Test("what is due, what waits and what runs is told apart, by family; what has ended is not counted")
    func families() async throws {
        try await Stand.with(tenants: 5) { stand in
            _ = try await stand.running()
            let due = try await stand.start(tenant: 1)
            let waiting = try await stand.start(tenant: 2)
            _ = try await stand.start(.inventorySync, tenant: 3)
            let ended = try await stand.start(tenant: 4)
            _ = try await stand.pool.query(
                "UPDATE runs SET queued_at = now() - interval '90 seconds' WHERE id = $1::uuid",
                [.uuid(due.execution.runID.uuid)])
            _ = try await stand.pool.query(
                "UPDATE runs SET next_attempt_at = now() + interval '1 hour' WHERE id = $1::uuid",
                [.uuid(waiting.execution.runID.uuid)])
            _ = try await stand.pool.query(
                "UPDATE runs SET state = 'completed', outcome = 'succeeded', completed_at = now() WHERE id = $1::uuid",
                [.uuid(ended.execution.runID.uuid)])

            let figures = try await QueueFigures.read(stand.pool)
            let provider = try #require(figures.families[.provider])
            #expect(provider.due == 1 && provider.waiting == 1 && provider.running == 1)
            #expect(90...120 ~= provider.oldestDueSeconds)
            #expect(figures.families[.inventory]?.due == 1)
            #expect(figures.families[.restore] == QueueFigures.Family())
            // What was just started is published by its starter: nobody is late with it.
            #expect(figures.overdueMessages == 0)

            _ = try await stand.pool.query(
                "UPDATE runs SET next_attempt_at = now() - interval '200 seconds' WHERE id = $1::uuid",
                [.uuid(waiting.execution.runID.uuid)])
            _ = try await stand.pool.query("UPDATE outbox SET due_at = now() - interval '30 seconds'")
            let later = try await QueueFigures.read(stand.pool)
            #expect(later.families[.provider]?.due == 2 && later.families[.provider]?.waiting == 0)
            #expect(200...230 ~= later.families[.provider]?.oldestDueSeconds ?? 0)
            #expect(later.overdueMessages > 0 && 30...60 ~= later.oldestMessageSeconds)
        }
    }
}
