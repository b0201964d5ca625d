import Curl
import Fixtures
import Foundation
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

/// The pace of writes.
@Suite struct WriteBudgetTests {
    @Test func twoProcessesShareOnePaceAndTenantsHaveTheirOwn() async throws {
        try await TestDatabase.with { database in
            let world = try await World.make(in: database.pool, tenants: 2)
            let budgets = (0..<2).map { _ in WriteBudget(pool: database.pool, perSecond: 10) }
            let waits = try await withThrowingTaskGroup(of: Double.self) { group in
                for place in 0..<40 {
                    group.addTask { try await budgets[place % 2].reserve(world.tenants[0]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            // Forty moments, a tenth of a second apart, whoever asked; what reserving took is less.
            #expect((3.0...3.91).contains(waits.max()!))
            let sorted = waits.sorted()
            for (earlier, later) in zip(sorted, sorted.dropFirst()).dropFirst(10) {
                #expect(later - earlier < 0.2)
            }
            #expect(try await budgets[0].reserve(world.tenants[1]) < 0.05)
            try await budgets[0].pause(world.tenants[1], seconds: 600)
            #expect((500.0...600).contains(try await budgets[1].reserve(world.tenants[1])))
            try await budgets[0].pause(world.tenants[1], seconds: 1)
            #expect(
                try await budgets[1].reserve(world.tenants[1]) > 500, "a shorter pause ends no longer one")
        }
    }

    /// Two consumers keep one tenant's pace together, and a second tenant does not wait for it.
    @Test func aSecondTenantIsNotHeldUp() async throws {
        try await BulkStage.with(devices: 140, writesPerSecond: 20) { stage in
            let (other, entra) = try await stage.addTenant()
            let long = try await stage.start(.deviceBulkSync, ["filter": ["all": true]])
            try await stage.reached(1, long)
            let began = ContinuousClock.now
            let few = try await stage.pool.query("SELECT DISTINCT device_id FROM inventory_devices LIMIT 20")
                .map { JSON.string(try $0.text(0)) }
            let short = try await stage.start(.deviceBulkSync, ["items": .array(few)], connection: other)
            #expect(try await stage.ended(short).outcome == "succeeded")
            #expect(
                try await stage.count("SELECT count(*) FROM runs WHERE completed_at IS NULL") == 1,
                "the first one is still at it")
            #expect(try await stage.ended(long).outcome == "succeeded")
            let longTook = ContinuousClock.now - began
            #expect(longTook > .seconds(6), "140 writes at 20 a second, of both processes together")
            #expect(try await stage.changes(since: 0, tenant: entra).count == 20)
            #expect(try await stage.changes(since: 0).count == 140)
        }
    }
}
