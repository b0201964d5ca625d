import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Starter

/// What was delivered how, one try more, and whether the caller is mailed.
@Suite(.serialized)
struct DeliveryTests {
    /// A run with a mail to its initiator that failed once and waits; returns the run and the delivery.
    private func failed(_ site: Site, _ token: String, on tenant: Int = 0) async throws -> (RunID, String) {
        let run = try await site.start(token, on: site.world.connections[tenant])
        let id = UUID()
        _ = try await site.pool.pipeline([
            (
                """
                INSERT INTO notifications (id, run_id, channel, workspace_id, tenant_id, user_id, title, body, event,
                                           next_delivery_at, attempts)
                SELECT i, r.id, c, r.workspace_id, r.tenant_id, r.initiator_id, 'It ended', '', '{}',
                       CASE WHEN c = 'email' THEN now() + interval '1 hour' END, 1
                FROM runs r, (VALUES ($2::uuid, 'email'), (gen_random_uuid(), 'inbox')) AS n (i, c)
                WHERE r.id = $1::uuid
                """, [.uuid(run.uuid), .uuid(id)]
            ),
            (
                """
                INSERT INTO delivery_tries (notification_id, attempt, status, result)
                VALUES ($1::uuid, 1, 451, 'refused')
                """, [.uuid(id)]
            ),
        ])
        return (run, "\(DeliveryID(id))")
    }

    @Test func eachTryIsShownAndOneMoreCanBeHad() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let (run, id) = try await failed(site, token)
            let list = try await site.call(.get, "/v1/deliveries?run_id=\(run)", token)
            #expect(list.ids("deliveries", "delivery_id") == [id], "the inbox is no delivery")
            let shown = try await site.call(.get, "/v1/deliveries/\(id)", token)
            #expect(shown["run_id"]?.string == "\(run)" && shown["channel"]?.string == "email")
            #expect(shown["recipient"]?["name"]?.string == "owner" && shown["state"]?.string == "waiting")
            #expect(shown["tries"]?[0]?["result"]?.string == "refused")
            #expect(shown["tries"]?[0]?["status"]?.integer == 451)
            #expect(shown["attempts"]?.integer == 1 && shown["webhook"]?.isNull == true)
            let next = try #require(shown["next_try_at"].flatMap(Timestamp.init(json:))?.date)
            #expect(next.timeIntervalSinceNow > 3_000)

            // Who wants no mails gets none, whoever asks.
            let path = "/v1/deliveries/\(id)/redeliver"
            let refused = try await site.call(.post, path, token)
            #expect(refused.status == 409 && refused["reason_code"]?.string == "delivery_unwanted")
            #expect(
                try await site.call(
                    .put, "/v1/me/email", token, ["address": "a@example.com", "enabled": true]
                ).status == 200)
            let again = try await site.call(.post, path, token)
            #expect(again.status == 202, "\(again.text)")
            let due = try #require(again["next_try_at"].flatMap(Timestamp.init(json:))?.date)
            #expect(due.timeIntervalSinceNow < 5)
            #expect(again["tries"]?.array?.count == 1)
            let audit = try await site.pool.query(
                "SELECT actor_id, run_id FROM audit WHERE action = 'delivery.repeated'")
            #expect(audit.count == 1)
            #expect(try audit[0].uuid(0) == site.world.owner.uuid && audit[0].uuid(1) == run.uuid)
            let timeline = try await site.call(.get, "/v1/runs/\(run)", token)
            #expect(timeline["timeline"]?.array?.last?["action"]?.string == "delivery.repeated")
        }
    }

    @Test func allOfAWorkspaceComeInPages() async throws {
        try await Site.with(tenants: 5) { site in
            let token = try await site.token(for: site.world.owner)
            var ids: [String] = []
            for tenant in 0..<5 { ids.append(try await failed(site, token, on: tenant).1) }
            var (found, path): ([String], String?) = ([], "/v1/deliveries?limit=2")
            while let at = path {
                let page = try await site.call(.get, at, token)
                #expect(page.status == 200)
                found += page.ids("deliveries", "delivery_id")
                path = page["next"]?.string.map { "/v1/deliveries?limit=2&cursor=\($0)" }
            }
            #expect(found == ids.reversed())
        }
    }

    @Test func theEntriesOfTheInboxAreNotDelivered() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            _ = try await failed(site, token)
            let inbox = try await site.pool.query("SELECT id FROM notifications WHERE channel = 'inbox'")
            let path = "/v1/deliveries/\(DeliveryID(try inbox[0].uuid(0)))"
            #expect(try await site.call(.get, path, token).status == 404)
            #expect(try await site.call(.post, path + "/redeliver", token).status == 404)
        }
    }

    @Test func aPersonDecidesAboutTheirOwnMails() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let none = try await site.call(.get, "/v1/me/email", token)
            #expect(none["address"]?.isNull == true && none["enabled"]?.bool == false)
            for enabled in [true, false, false] {
                let body: JSON = ["address": "omar@example.com", "enabled": .bool(enabled)]
                let set = try await site.call(.put, "/v1/me/email", token, body)
                #expect(set["address"]?.string == "omar@example.com" && set["enabled"]?.bool == enabled)
            }
            for address in [
                "omar", "a@b\r\nBcc: x@y", "a@b@c", "ö@example.com", "a b@c", "<a@b>", "a@-b", "a@b..c",
            ] {
                let wrong = try await site.call(
                    .put, "/v1/me/email", token, ["address": .string(address), "enabled": true])
                #expect(wrong.status == 422 && wrong.pointers == ["/address"], "\(address)")
            }
            #expect(try await site.call(.delete, "/v1/me/email", token).status == 204)
            #expect(try await site.call(.delete, "/v1/me/email", token).status == 204)
            let gone = try await site.call(.get, "/v1/me/email", token)
            #expect(gone["address"]?.isNull == true)
            // What changes is written down, without the address.
            let audit = try await site.pool.query(
                "SELECT details::text FROM audit WHERE action = 'email.changed'")
            #expect(audit.count == 3)
            #expect(try !audit.contains { try $0.text(0).contains("omar@") })
        }
    }
}
