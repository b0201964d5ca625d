import Fixtures
import FoundationEssentials
import Operations
import Postgres
import Store
import Testing

/// People's inboxes, named filters, and when changes took effect.
@Suite(.serialized) struct InboxTests {
    private func tell(_ stand: Stand, _ run: RunSnapshot, of outcome: String) async throws {
        _ = try await stand.pool.pipeline([
            (
                "UPDATE runs SET state = 'completed', outcome = $2, completed_at = clock_timestamp() WHERE id = $1::uuid",
                [.uuid(run.execution.runID.uuid), .text(outcome)]
            ),
            (
                """
                INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event)
                SELECT id, 'inbox', workspace_id, tenant_id, initiator_id, operation, '', '{}' FROM runs WHERE id = $1::uuid
                """, [.uuid(run.execution.runID.uuid)]
            ),
        ])
    }

    @Test func entriesAreFilteredCountedAndRead() async throws {
        try await Stand.with(tenants: 2) { stand in
            let (world, inbox) = (stand.world, Inbox(pool: stand.pool))
            for (tenant, outcome) in [(0, "blocked"), (1, "succeeded")] {
                try await tell(stand, try await stand.start(tenant: tenant), of: outcome)
            }
            func list(_ tenants: [TenantID], _ change: (inout InboxFilter) -> Void = { _ in }) async throws
                -> [RunOutcome?]
            {
                var filter = InboxFilter()
                change(&filter)
                return try await inbox.list(
                    of: world.operator, on: tenants, filter, before: nil, limit: 10
                ).entries.map(\.outcome)
            }
            #expect(try await Set(list(world.tenants)) == [.succeeded, .blocked])
            #expect(try await list([world.tenants[1]]) == [.succeeded])
            #expect(try await list(world.tenants) { $0.outcome = .blocked } == [.blocked])
            #expect(try await inbox.unread(of: world.operator, on: world.tenants) == 2)
            #expect(try await inbox.unread(of: world.operator, on: [world.tenant]) == 1)
            #expect(try await inbox.unread(of: world.owner, on: world.tenants) == 0)
            let before = try await inbox.mark(of: world.operator)
            let news = try await inbox.news(
                of: world.operator, on: world.tenants, since: Date(timeIntervalSince1970: 0))
            #expect(news.map(\.outcome) == [.blocked, .succeeded])
            #expect(
                try await inbox.news(of: world.operator, on: world.tenants, since: news[0].createdAt).count
                    == 1)
            // Until the first one: the second one stays unread.
            try await inbox.markRead(of: world.operator, until: news[0].createdAt)
            #expect(try await list(world.tenants) { $0.isUnread = true } == [.succeeded])
            #expect(try await inbox.mark(of: world.operator) != before)
            try await inbox.markRead(of: world.operator, until: nil)
            #expect(try await inbox.unread(of: world.operator, on: world.tenants) == 0)
        }
    }

    @Test func aPersonKeepsSoManyViewsAndNoMore() async throws {
        try await Stand.with { stand in
            let (world, views) = (stand.world, SavedViews(pool: stand.pool))
            for number in 0..<SavedViews.userLimit {
                #expect(
                    try await views.keep(
                        "view \(number)", "state:running", id: SavedViewID(UUID()), of: world.owner)
                        != nil)
            }
            #expect(try await views.keep("one more", "x", id: SavedViewID(UUID()), of: world.owner) == nil)
            // One of the same name takes its place.
            let again = try await views.keep(
                "view 3", "outcome:failed", id: SavedViewID(UUID()), of: world.owner)
            #expect(again?.query == "outcome:failed")
            #expect(try await views.views(of: world.owner).count == SavedViews.userLimit)
            #expect(try await views.views(of: world.operator).isEmpty)
            let id = try #require(again).id
            await #expect(throws: StoreError.notFound("saved view")) {
                try await views.remove(id, of: world.operator)
            }
            try await views.remove(id, of: world.owner)
            #expect(try await views.views(of: world.owner).count == SavedViews.userLimit - 1)
        }
    }

    /// At the same moment, too.
    @Test func theLimitHoldsForThoseWhoHurry() async throws {
        try await Stand.with { stand in
            let (owner, views) = (stand.world.owner, SavedViews(pool: stand.pool))
            await withTaskGroup { group in
                for number in 0..<60 {
                    group.addTask {
                        _ = try? await views.keep("view \(number)", "x", id: SavedViewID(UUID()), of: owner)
                    }
                }
            }
            let kept = try await stand.count("SELECT count(*) FROM saved_views")
            #expect(kept == SavedViews.userLimit)
        }
    }

    @Test func whenSomethingTookEffectIsRead() async throws {
        try await Stand.with(tenants: 2) { stand in
            let (world, reading) = (stand.world, BarrierReading(pool: stand.pool))
            let revoked = try await stand.apply(.revokeMembership(user: world.operator, tenant: nil))
            _ = try await stand.apply(.setOperability(world.tenant, .suspended))
            // What gives back took nothing away.
            _ = try await stand.apply(.setOperability(world.tenant, .operable))
            _ = try await stand.apply(.setConnectionEnabled(world.connections[1], false))
            let all = try await reading.latest(in: world.workspace, on: nil, limit: 10)
            #expect(
                all.map(\.change) == [
                    "connection.disabled", "tenant.operability_changed", "access.revoked",
                ])
            #expect(all[2].person?.id == world.operator && all[2].by?.id == world.owner)
            #expect(abs(all[2].effectiveAt.timeIntervalSince(revoked.effectiveAt)) < 0.000_002)
            #expect(all.allSatisfy { $0.settledAt != nil && $0.inDoubt == 0 })
            let second = try await reading.latest(in: world.workspace, on: [world.tenants[1]], limit: 10)
            #expect(second.map(\.change) == ["connection.disabled"])
            #expect(second[0].tenant?.id == world.tenants[1])
            #expect(try await reading.latest(in: world.workspace, on: nil, limit: 1).count == 1)
        }
    }

    /// A call whose holder was lost is in doubt, and stands so.
    @Test func whatIsInDoubtStandsSo() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            _ = try await stand.pool.query(
                """
                INSERT INTO call_permits (id, run_id, attempt, worker_id, workspace_id, tenant_id, connection_id, user_id,
                                          call, opened_at, deadline)
                SELECT gen_random_uuid(), r.id, r.attempt, r.worker_id, r.workspace_id, r.tenant_id, r.connection_id,
                       r.initiator_id, 'GET /x', now(), now() - interval '1 second'
                FROM runs r WHERE r.id = $1::uuid
                """, [.uuid(executing.run.execution.runID.uuid)])
            let answer = try await stand.apply(.disableUser(stand.world.operator))
            #expect(answer.settledAt == nil && answer.inDoubt.count == 1)
            let latest = try await BarrierReading(pool: stand.pool).latest(
                in: stand.world.workspace, on: nil, limit: 1)
            #expect(latest[0].settledAt == nil && latest[0].inDoubt == 1)
        }
    }
}
