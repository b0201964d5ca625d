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
            #expect(now["unblock"]?.string == Presentation.remedy(.denial(.tenantSuspended), isOver: false))

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

    @Test func itemsComeInPagesByTheirKeys() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let id = try await site.start(token)
            guard case .execute(_, let permit) = try await begin(id, site).1 else {
                Issue.record("not begun")
                return
            }
            try await Ledger(pool: site.pool).record(
                [
                    .init(
                        key: "b: ü", state: .inDoubt, result: "creating", label: "script «A»",
                        detail: "It was sent.", objectID: "o-1"),
                    .init(key: "a", state: .applied, result: nil),
                    .init(key: "c", state: .failed, result: "conflict"),
                ], progress: .init(done: 2, total: 3, cursor: nil), under: permit)
            let first = try await site.call(.get, "/v1/runs/\(id)/items?limit=2", token)
            #expect(first.status == 200)
            #expect(
                first["items"] == [
                    ["key": "a", "state": "applied"],
                    [
                        "key": "b: ü", "state": "in_doubt", "result": "creating", "label": "script «A»",
                        "detail": "It was sent.", "object_id": "o-1",
                    ],
                ])
            let next = try #require(first["next"]?.string)
            let second = try await site.call(.get, "/v1/runs/\(id)/items?limit=2&cursor=\(next)", token)
            #expect(second["items"]?.array?.compactMap { $0["key"]?.string } == ["c"])
            #expect(second["next"] == nil)
            let wrong = try await site.call(.get, "/v1/runs?cursor=\(next)", token)
            #expect(wrong.status == 422)
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

    /// Ends the run in the database.
    private func end(_ run: RunID, as outcome: RunOutcome, _ site: Site) async throws {
        _ = try await site.pool.query(
            "UPDATE runs SET state = 'completed', outcome = $2, completed_at = now() WHERE id = $1::uuid",
            [.uuid(run.uuid), .text(outcome.rawValue)])
    }

    @Test(arguments: RunOutcome.allCases)
    func whatDidNotSucceedIsRetriedAsWhoeverRetriesIt(_ outcome: RunOutcome) async throws {
        try await Site.with { site in
            let first = try await site.start(site.token(for: site.world.owner))
            let token = try await site.token(for: site.world.operator)
            let path = "/v1/runs/\(first)/retry"
            let early = try await site.call(.post, path, token)
            #expect(early.status == 409)
            #expect(early["reason_code"]?.string == "run_not_ended")
            #expect(early["run_id"]?.string == "\(first)")
            try await end(first, as: outcome, site)
            let before = try await site.call(.get, "/v1/runs/\(first)", token)
            let reply = try await site.call(.post, path, token, headers: [.idempotencyKey: "k"])
            guard outcome != .succeeded else {
                #expect(reply.status == 409)
                #expect(reply["reason_code"]?.string == "run_succeeded")
                return
            }
            #expect(reply.status == 202, "\(reply.text)")
            let second = try #require(reply["run_id"]?.string)
            #expect(reply.headers[.location] == "/v1/runs/\(second)")
            #expect(site.published.all.last?.runID == RunID(second))
            let run = try await site.call(.get, "/v1/runs/\(second)", token)
            #expect(run["retry_of"]?.string == "\(first)")
            #expect(run["operation"] == before["operation"])
            #expect(run["parameters"] == before["parameters"])
            #expect(run["provider_connection"] == before["provider_connection"])
            #expect(run["initiator"]?["name"]?.string == "operator")
            // The first stays as it ended, and names its retry.
            let after = try await site.call(.get, "/v1/runs/\(first)", token)
            #expect(after["retries"] == [.string(second)])
            #expect(after["outcome"] == before["outcome"])
            #expect(after["initiator"]?["name"]?.string == "owner")
            // Asked twice, it is the same retry, also after its end; asked anew it is another.
            let again = try await site.call(.post, path, token, headers: [.idempotencyKey: "k"])
            #expect(again.status == 200)
            #expect(again["run_id"]?.string == second)
            try await end(try #require(RunID(second)), as: .failed, site)
            #expect(
                try await site.call(.post, path, token, headers: [.idempotencyKey: "k"])["run_id"]?.string
                    == second)
            let third = try await site.call(.post, path, token)
            #expect(third.status == 202)
            // The key is for this run.
            try await end(try #require(third["run_id"]?.string.flatMap(RunID.init)), as: .failed, site)
            let ofSecond = try await site.call(
                .post, "/v1/runs/\(second)/retry", token, headers: [.idempotencyKey: "k"])
            #expect(ofSecond.status == 202)
            let long = String(repeating: "k", count: 230)
            #expect(try await site.call(.post, path, token, headers: [.idempotencyKey: long]).status == 400)
        }
    }

    @Test func aRetryAsksForTheSame() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let started = try await site.call(
                .post, "/v1/runs", token,
                [
                    "operation": "backup.run",
                    "provider_connection_id": .string("\(site.world.connection)"),
                    "parameters": ["kinds": ["scope_tag"]],
                ])
            let first = try #require(started["run_id"]?.string.flatMap(RunID.init))
            try await end(first, as: .failed, site)
            let retried = try await site.call(.post, "/v1/runs/\(first)/retry", token)
            let second = try #require(retried["run_id"]?.string)
            let shown = try await site.call(.get, "/v1/runs/\(second)", token)
            #expect(shown["parameters"] == ["kinds": ["scope_tag"]])
        }
    }

    @Test func aRetryPassesTheDoorLikeAnyStart() async throws {
        try await Site.with { site in
            let first = try await site.start(site.token(for: site.world.operator))
            try await end(first, as: .failed, site)
            let path = "/v1/runs/\(first)/retry"
            let reader = try await site.token(for: site.world.people[.readonly]!)
            #expect(try await site.call(.post, path, reader).status == 403)
            let stranger = try await site.token(for: site.world.stranger)
            #expect(try await site.call(.post, path, stranger).status == 404)
            let token = try await site.token(for: site.world.operator)
            #expect(try await site.call(.post, path, token, ["operation": "backup.run"]).status == 422)
            _ = try await site.pool.query("UPDATE tenants SET operability = 'suspended'")
            let suspended = try await site.call(.post, path, token)
            #expect(suspended.status == 409)
            #expect(suspended["reason_code"]?.string == "tenant_suspended")
            _ = try await site.pool.query("UPDATE tenants SET operability = 'operable'")
            let other = try await site.call(
                .post, "/v1/runs", token,
                [
                    "operation": "backup.run",
                    "provider_connection_id": .string("\(site.world.connection)"),
                ])
            let busy = try await site.call(.post, path, token)
            #expect(busy.status == 409)
            #expect(busy["active_run"]?["run_id"] == other["run_id"])
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
