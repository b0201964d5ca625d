import Waiting
import Fixtures
import Foundation
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

/// Bulk runs that are stopped half-way: by a revoke, by a person, or by what the provider does.
@Suite struct StoppedRunTests {
    private static let all: JSON = ["filter": ["all": true]]
    private static let devices = 400

    /// Revoked at item k: no call after the answer, and the counts are the provider's own.
    @Test func nothingIsCalledAfterARevoke() async throws {
        try await BulkStage.with(devices: Self.devices) { stage in
            // From the first item to nearly the last, closer together at the beginning.
            for k in (0..<42).map({ 1 + $0 * $0 * 385 / (41 * 41) }) {
                let start = try await stage.journalEnd()
                let run = try await stage.start(.deviceBulkSync, Self.all)
                let reached = try await stage.reached(k, run)
                let barrier = try await stage.revoke()
                #expect(barrier.settledAt != nil, "nobody was killed")
                let answered = try await stage.calls(since: start)
                let ended = try await stage.ended(run)
                #expect(try await stage.calls(since: start) == answered, "k = \(k)")
                let changes = try await stage.changes(since: start)
                #expect(Set(changes).count == changes.count)
                #expect(ended["applied"] == changes.count, "k = \(k): \(ended)")
                #expect(ended["in_doubt"] == 0)
                #expect(ended["applied"] + ended["untouched"] == Self.devices)
                #expect(ended["total"] == Self.devices)
                if reached >= 0, ended["untouched"] > 0 {
                    #expect(ended.outcome == "partially_succeeded" && ended.reason == "tenant_not_entitled")
                }
                try await stage.grant()
            }
            #expect(
                try await stage.count(
                    "SELECT count(*) FROM runs WHERE reason_code = 'tenant_not_entitled'") >= 40)
            // One end and one terminal event each, and nothing is left of their chunks.
            #expect(
                try await stage.count("SELECT count(*) FROM audit WHERE action = 'run.ended'")
                    == stage.count("SELECT count(*) FROM runs WHERE operation = 'device.bulk_sync'"))
            #expect(try await stage.count("SELECT count(*) FROM run_chunks WHERE state <> 'ended'") == 0)
        }
    }

    /// A person stops it: what is under way ends, and nothing else begins.
    @Test func aCancelledRunStopsWithinABound() async throws {
        try await BulkStage.with(devices: 200, writesPerSecond: 50) { stage in
            let run = try await stage.start(.deviceBulkSync, Self.all)
            try await stage.reached(20, run)
            let cancellation = RunCancellation(pool: stage.pool, outboxLeaseSeconds: 5)
            _ = try await cancellation.cancel(run, by: stage.world.owner)
            let ended = try await stage.ended(run)
            #expect(ended.outcome == "cancelled" && ended.reason == nil)
            #expect(ended["applied"] == (try await stage.changes(since: 0)).count)
            #expect(ended["applied"] + ended["untouched"] == 200 && ended["untouched"] > 0)
        }
    }

    /// Also where all of its chunks wait for the provider.
    @Test func aWaitingRunIsCancelledAtOnce() async throws {
        try await BulkStage.with(devices: 60) { stage in
            try await stage.provider.sandbox.arm(
                "throttle", tenant: stage.provider.entraTenant,
                ["writes": true, "retryAfter": 120, "skip": 10])
            let run = try await stage.start(.deviceBulkSync, Self.all)
            _ = try await eventually("all chunks wait") {
                try await stage.count("SELECT count(*) FROM run_chunks WHERE reason_code = 'throttled'") == 3
                    ? true : nil
            }
            let due = try await stage.count(
                "SELECT extract(epoch FROM min(next_attempt_at) - clock_timestamp())::int FROM run_chunks")
            #expect((90...121).contains(due), "what the provider asked for is honoured")
            let answer = try await RunCancellation(pool: stage.pool, outboxLeaseSeconds: 5)
                .cancel(run, by: stage.world.owner)
            guard case .ended = answer else {
                Issue.record("\(answer)")
                return
            }
            let ended = try await stage.ended(run)
            #expect(ended.outcome == "cancelled")
            #expect(ended["applied"] == 10 && ended["untouched"] == 50)
        }
    }

    /// A chunk is authorised when it begins: what waits while the tenant is suspended goes on, or is refused.
    @Test func aWaitingChunkIsAuthorisedAgain() async throws {
        try await BulkStage.with(devices: 60, consumers: 0) { stage in
            let run = try await stage.start(.deviceBulkSync, Self.all)
            try stage.launch()
            try await stage.reached(1, run)
            // It was stopped at a call by now, or at the begin of a chunk.
            _ = try await AuthorityChanges(pool: stage.pool, makeID: { UUID() }).apply(
                .setWriteGate(stage.world.tenant, isOpen: false), in: stage.world.workspace,
                by: .user(stage.world.owner))
            let ended = try await stage.ended(run)
            #expect(ended.outcome == "succeeded" || ended.reason == "write_gate_closed")
            #expect(ended["applied"] == (try await stage.changes(since: 0)).count)
            #expect(ended["applied"] + ended["untouched"] == 60)
        }
    }

    /// What fails for the whole connection stops the run; what fails for one item does not.
    @Test func aLostPermissionStopsTheRun() async throws {
        try await BulkStage.with(devices: 60) { stage in
            let lost = try await stage.pool.query(
                "SELECT device_id FROM inventory_devices ORDER BY 1 LIMIT 1")[0].text(0)
            try await stage.provider.sandbox.arm(
                "error", tenant: stage.provider.entraTenant, ["writes": true, "status": 404, "count": 1])
            let first = try await stage.ended(stage.start(.deviceBulkSync, Self.all))
            #expect(first.outcome == "partially_succeeded")
            #expect(first["applied"] == 59 && first["failed"] == 1)
            try await stage.provider.sandbox.arm(
                "error", tenant: stage.provider.entraTenant, ["writes": true, "status": 403, "skip": 5])
            let second = try await stage.ended(stage.start(.deviceBulkSync, Self.all))
            #expect(second.outcome == "partially_succeeded" && second.reason == "permission_missing")
            #expect(second["applied"] == 5 && second["untouched"] == 55)
            #expect(!lost.isEmpty)
        }
    }
}
