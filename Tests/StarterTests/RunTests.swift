import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Starter

/// One run: its page, its explanation, and stopping it.
@Suite(.serialized)
struct RunTests {
    /// Begins the run as a worker would.
    private func begin(_ run: RunID, _ site: Site) async throws -> (RunService, RunService.Beginning) {
        let worker = UUID()
        try await Workers(pool: site.pool, leaseSeconds: 60).register(worker, service: "test")
        let service = RunService(
            pool: site.pool, worker: worker, family: .provider, clock: DatabaseClock(),
            outboxLeaseSeconds: 10, random: { 0.5 })
        return (service, try await service.begin([JobMessage(runID: run, attempt: 1)])[0].get())
    }

    @Test func aRunIsShownAsItStands() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let id = try await site.start(token)
            let queued = try await site.call(.get, "/v1/runs/\(id)", token)
            #expect(queued["state"]?.string == "queued")
            #expect(queued["badge"]?["label"]?.string == "queued")
            #expect(queued["label"]?.string == "Connection check")
            #expect(queued["outcome"]?.isNull == true)
            #expect(queued["reason"] == nil)
            #expect(queued["progress"] == nil)
            #expect(queued["tenant"]?["id"]?.string == "\(site.world.tenant)")
            #expect(queued["tenant"]?["name"]?.string == "Tenant 1")
            #expect(queued["provider_connection"]?["display_name"]?.string == "Connection")
            #expect(queued["initiator"]?["name"]?.string == "operator")
            #expect(queued["context"]?["execution_authority_mode"]?.string == "actor_bound")
            #expect(queued["timeline"]?.array?.compactMap { $0["action"]?.string } == ["run.queued"])

            let (service, beginning) = try await begin(id, site)
            guard case .execute(let run, let permit) = beginning else {
                Issue.record("not begun: \(beginning)")
                return
            }
            try await Ledger(pool: site.pool).record(
                [
                    .init(key: "a", state: .applied, result: nil),
                    .init(key: "b", state: .applied, result: nil),
                    .init(key: "c", state: .failed, result: "throttled"),
                ], progress: .init(done: 3, total: 4, cursor: nil), under: permit)
            let running = try await site.call(.get, "/v1/runs/\(id)", token)
            #expect(running["state"]?.string == "running")
            #expect(running["progress"] == ["done": 3, "total": 4])
            #expect(running["items"] == ["applied": 2, "failed": 1])
            #expect(running["started_at"]?.string != nil)

            var counts = SummaryCounts()
            counts[.applied] = 2
            counts[.failed] = 1
            _ = try await service.finish(run, .failed(.permissionMissing, counts))
            let ended = try await site.call(.get, "/v1/runs/\(id)", token)
            #expect(ended["state"]?.string == "completed")
            #expect(ended["outcome"]?.string == "partially_succeeded")
            #expect(ended["badge"]?["label"]?.string == "partially succeeded")
            #expect(ended["counts"] == ["applied": 2, "failed": 1])
            #expect(ended["reason"]?["code"]?.string == "permission_missing")
            #expect(ended["reason"]?["class"] == nil)
            #expect(ended["reason"]?["retryable"]?.bool == false)
            let timeline = ended["timeline"]?.array ?? []
            #expect(timeline.compactMap { $0["action"]?.string } == ["run.queued", "run.began", "run.ended"])
            #expect(timeline.last?["outcome"]?.string == "partially_succeeded")
            #expect(timeline.last?["reason_code"]?.string == "permission_missing")
        }
    }

    @Test func anExplanationTellsThenNowAndTheWayOut() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let id = try await site.start(token)
            let path = "/v1/runs/\(id)/explanation"
            let before = try await site.call(.get, path, token)
            #expect(before["then"]?.isNull == true)
            #expect(before["replayed"]?.isNull == true)
            #expect(before["now"]?["decision"]?.string == "allowed")
            #expect(before["unblock"]?.isNull == true)

            _ = try await site.pool.query("UPDATE tenants SET operability = 'suspended'")
            let now = try await site.call(.get, path, token)
            #expect(now["now"]?["reason_code"]?.string == "tenant_suspended")
            #expect(now["unblock"]?.string == Presentation.remedy(.denial(.tenantSuspended)))

            let (_, beginning) = try await begin(id, site)
            guard case .refused(_, .tenantSuspended, ended: false, _) = beginning else {
                Issue.record("not refused: \(beginning)")
                return
            }
            _ = try await site.pool.query("UPDATE tenants SET operability = 'operable'")
            let after = try await site.call(.get, path, token)
            #expect(after["then"]?["reason_code"]?.string == "tenant_suspended")
            #expect(after["then"]?["facts"]?["tenant"]?["operability"]?.string == "suspended")
            #expect(after["replayed"]?["equal"]?.bool == true)
            #expect(after["replayed"]?["decision"]?["reason_code"]?.string == "tenant_suspended")
            #expect(after["now"]?["decision"]?.string == "allowed")
            let shown = try await site.call(.get, "/v1/runs/\(id)", token)
            #expect(shown["badge"]?["label"]?.string == "waiting")
            #expect(shown["reason"]?["class"]?.string == "tenant_not_operable")
            #expect(shown["next_attempt_at"]?.string != nil)
        }
    }

    @Test func aRecordThatDoesNotReplayIsNotCalledEqual() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let id = try await site.start(token)
            _ = try await begin(id, site)
            // A record whose answer does not follow from its inputs.
            _ = try await site.pool.query(
                """
                INSERT INTO audit (action, workspace_id, tenant_id, run_id, details)
                SELECT action, workspace_id, tenant_id, run_id,
                       jsonb_set(details::jsonb, '{decision,decision}', '"denied"')
                FROM audit WHERE action = 'run.began'
                """)
            let reply = try await site.call(.get, "/v1/runs/\(id)/explanation", token)
            #expect(reply["then"]?["decision"]?.string == "denied")
            #expect(reply["replayed"]?["equal"]?.bool == false)
            #expect(reply["replayed"]?["decision"]?["decision"]?.string == "allowed")
        }
    }

    @Test func whatWaitsIsCancelledAtOnce() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let id = try await site.start(token)
            let reply = try await site.call(.post, "/v1/runs/\(id)/cancel", token)
            #expect(reply.status == 202)
            #expect(reply["state"]?.string == "completed")
            let run = try await site.call(.get, "/v1/runs/\(id)", token)
            #expect(run["outcome"]?.string == "cancelled")
            #expect(site.published.all.map(\.route) == ["jobs.provider", "run-events"])
            let asked = try await site.pool.query(
                "SELECT actor_id FROM audit WHERE action = 'run.cancel_requested'")
            #expect(try asked[0].uuid("actor_id") == site.world.operator.uuid)

            let again = try await site.call(.post, "/v1/runs/\(id)/cancel", token)
            #expect(again.status == 409)
            #expect(again["reason_code"]?.string == "run_completed")
            #expect(site.published.all.count == 2)
        }
    }

    @Test func whatExecutesIsAskedToStop() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let id = try await site.start(token)
            _ = try await begin(id, site)
            let reply = try await site.call(.post, "/v1/runs/\(id)/cancel", token)
            #expect(reply.status == 202)
            #expect(reply["state"]?.string == "running")
            let run = try await site.call(.get, "/v1/runs/\(id)", token)
            #expect(run["state"]?.string == "running")
            #expect(run["cancel_requested"]?.bool == true)
        }
    }

    @Test func meTellsWhoAndWhat() async throws {
        try await Site.with { site in
            let reply = try await site.call(.get, "/v1/me", site.token(for: site.world.operator))
            #expect(reply["user"]?["user_id"]?.string == "\(site.world.operator)")
            #expect(reply["user"]?["workspace_id"]?.string == "\(site.world.workspace)")
            let grant = reply["grants"]?[0]
            #expect(grant?["tenant_id"]?.isNull == true)
            #expect(grant?["role"]?.string == "operator")
            #expect(
                grant?["capabilities"]
                    == ["provider.view", "provider.run", "backup.run", "operations.view"])
        }
    }
}
