import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Starter

/// What is one's own: named filters, and what was read. And dead letters, as far as they name runs that one sees.
@Suite(.serialized) struct ViewRouteTests {
    @Test func viewsAreKeptReplacedAndRemoved() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let kept = try await site.call(
                .post, "/v1/views", token, ["name": "bad", "query": "outcome:blocked"])
            #expect(kept.status == 200 && kept["name"]?.string == "bad")
            let again = try await site.call(
                .post, "/v1/views", token, ["name": "bad", "query": "outcome:failed"])
            #expect(again["view_id"] == kept["view_id"])
            let list = try await site.call(.get, "/v1/views", token)
            #expect(
                list["views"]?.array?.count == 1 && list["views"]?[0]?["query"]?.string == "outcome:failed")
            for (name, query, pointer) in [
                ("", "x", "/name"), (String(repeating: "n", count: 61), "x", "/name"), ("n", "", "/query"),
                ("n", String(repeating: "q", count: 501), "/query"), ("a\u{0}b", "x", "/name"),
                // As the database counts: a letter and its accent are two.
                (String(repeating: "e\u{301}", count: 31), "x", "/name"),
            ] {
                let wrong = try await site.call(
                    .post, "/v1/views", token, ["name": .string(name), "query": .string(query)])
                #expect(wrong.status == 422 && wrong.pointers == [pointer], "\(name) \(query)")
            }
            for number in 1..<SavedViews.userLimit {
                let more = try await site.call(
                    .post, "/v1/views", token, ["name": .string("v\(number)"), "query": "x"])
                #expect(more.status == 200)
            }
            let tooMany = try await site.call(.post, "/v1/views", token, ["name": "v", "query": "x"])
            #expect(tooMany.status == 409 && tooMany["reason_code"]?.string == "too_many_views")
            let id = try #require(kept["view_id"]?.string)
            let other = try await site.token(for: site.world.owner)
            #expect(try await site.call(.delete, "/v1/views/\(id)", other).status == 404)
            #expect(try await site.call(.delete, "/v1/views/\(id)", token).status == 204)
            #expect(try await site.call(.delete, "/v1/views/\(id)", token).status == 404)
        }
    }

    @Test func deadLettersComeInPagesAndAreWished() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let run = try await site.start(token)
            _ = try await site.pool.query(
                """
                INSERT INTO dead_letters (queue, digest, count, run_id, workspace_id, tenant_id, size, died_at)
                SELECT 'jobs.provider', encode(sha256(n::text::bytea), 'hex'), 1, r.id, r.workspace_id, r.tenant_id, 10,
                       CASE WHEN n > 2 THEN now() - make_interval(mins => n) END
                FROM runs r, generate_series(1, 5) AS n WHERE r.id = $1::uuid
                """, [.uuid(run.uuid)])
            var (found, path): ([JSON], String?) = ([], "/v1/dead-letters?limit=2")
            while let at = path {
                let page = try await site.call(.get, at, token)
                #expect(page.status == 200)
                found += page["dead_letters"]?.array ?? []
                path = page["next"]?.string.map { "/v1/dead-letters?limit=2&cursor=\($0)" }
            }
            // The latest dead first; those of which nobody knows when at the end.
            #expect(found.map { $0["died_at"]?.isNull == true } == [false, false, false, true, true])
            #expect(Set(found.compactMap { $0["dead_letter_id"]?.string }).count == 5)
            let id = try #require(found[0]["dead_letter_id"]?.string)
            let wished = try await site.call(.post, "/v1/dead-letters/\(id)/redrive", token)
            #expect(wished.status == 202 && wished["wish"]?["wish"]?.string == "redrive")
            #expect(wished["wish"]?["by"]?["name"]?.string == "owner")
            for body in [[:], ["note": ""], ["note": .string(String(repeating: "n", count: 501))]] as [JSON] {
                let wrong = try await site.call(.post, "/v1/dead-letters/\(id)/drop", token, body)
                #expect(wrong.status == 422 && wrong.pointers == ["/note"])
            }
            let dropped = try await site.call(.post, "/v1/dead-letters/\(id)/drop", token, ["note": "forged"])
            #expect(dropped["wish"]?["wish"]?.string == "drop")
            // What somebody else has in their hands is not there.
            _ = try await site.pool.query("UPDATE dead_letters SET missed_at = now()")
            #expect(try await site.call(.post, "/v1/dead-letters/\(id)/redrive", token).status == 404)
            let none = try await site.call(.get, "/v1/dead-letters", token)
            #expect(none["dead_letters"]?.array?.isEmpty == true)
        }
    }

    @Test func theInboxIsRead() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let run = try await site.start(token)
            _ = try await site.pool.query(
                """
                INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event, created_at)
                SELECT id, 'inbox', workspace_id, tenant_id, initiator_id, 'It ended', '', '{}',
                       '2026-11-21T09:48:00.000001Z' FROM runs WHERE id = $1::uuid
                """, [.uuid(run.uuid)])
            func isRead() async throws -> Bool? {
                try await site.call(.get, "/v1/notifications", token)["notifications"]?[0]?["read_at"]
                    .map { !$0.isNull }
            }
            for (until, expected) in [
                ("2026-11-21T09:48:00.000000Z", false), ("2026-11-21T09:48:00.000001Z", true),
            ] {
                #expect(
                    try await site.call(.post, "/v1/notifications/read", token, ["until": .string(until)])
                        .status
                        == 204)
                #expect(try await isRead() == expected)
            }
            let wrong = try await site.call(.post, "/v1/notifications/read", token, ["until": "now"])
            #expect(wrong.status == 422 && wrong.pointers == ["/until"])
            #expect(try await site.call(.post, "/v1/notifications/read", token).status == 204)
        }
    }
}
