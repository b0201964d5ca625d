import Crypto
import Fixtures
import Foundation
import HTTPTypes
import JSON
import Operations
import Postgres
import Sealing
import Store
import Testing

@testable import Starter

/// Webhooks: making, changing keys, switching, removing; what of them is seen by whom.
@Suite(.serialized)
struct WebhookTests {
    private static let url = "https://tickets.example.com:8443/hook?token=hidden"

    private func body(_ url: String = url, signing: String = "hmac_sha256", user: UserID? = nil) -> JSON {
        [
            "url": .string(url), "label": "tickets", "signing": .string(signing),
            "user_id": .optional(user?.description),
        ]
    }

    private func open(_ keyID: String, _ bytes: [UInt8], _ context: SealingContext) throws -> String {
        try Opener(privateKeys: [Site.notifierKey])
            .open(Sealed(keyID: KeyID(keyID), bytes: bytes), context)
            .reveal { String(decoding: $0, as: UTF8.self) }
    }

    /// What is stored as a webhook's key, opened.
    private func key(_ number: Int, of id: WebhookID, _ site: Site) async throws -> String {
        let row = try await site.pool.query(
            "SELECT key_id, sealed FROM webhook_keys WHERE webhook_id = $1::uuid AND number = $2::int",
            [.uuid(id.uuid), .int(number)])[0]
        return try open(
            row.text(0), row.bytes(1),
            .webhookKey(workspace: site.world.workspace.uuid, webhook: id.uuid, number: number))
    }

    @Test func aSecretIsShownOnceAndStoredSealed() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let made = try await site.call(
                .post, "/v1/webhooks", token, body(user: site.world.operator))
            #expect(made.status == 201, "\(made.text)")
            let id = try #require(made["webhook_id"]?.string.flatMap(WebhookID.init))
            #expect(made.headers[.location] == "/v1/webhooks/\(id)")
            let secret = try #require(made["secret"]?.string)
            #expect(secret.hasPrefix("whsec_"))
            #expect(Data(base64Encoded: String(secret.dropFirst(6)))?.count == 32)
            #expect(try await key(1, of: id, site) == secret)
            let row = try await site.pool.query(
                "SELECT url_key_id, sealed_url, origin, created_by FROM webhooks")[0]
            let context = SealingContext.webhookAddress(
                workspace: site.world.workspace.uuid, webhook: id.uuid)
            #expect(try open(row.text(0), row.bytes(1), context) == Self.url)
            #expect(try row.text(2) == "https://tickets.example.com:8443")
            #expect(try row.uuid(3) == site.world.owner.uuid)

            let shown = try await site.call(.get, "/v1/webhooks/\(id)", token)
            #expect(shown["origin"]?.string == "https://tickets.example.com:8443")
            #expect(shown["user"]?["name"]?.string == "operator")
            #expect(shown["enabled"]?.bool == true && shown["keys"]?.array?.count == 1)
            let list = try await site.call(.get, "/v1/webhooks", token)
            #expect(list.ids("webhooks", "webhook_id") == ["\(id)"])
            let audit = try await site.pool.query("SELECT details::text FROM audit").map { try $0.text(0) }
            for text in [shown.text, list.text] + audit {
                #expect(
                    !text.contains("whsec") && !text.contains("hidden") && !text.contains("/hook"), "\(text)")
            }
        }
    }

    @Test func ofAKeyPairOnlyThePublicHalfIsSeen() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let made = try await site.call(.post, "/v1/webhooks", token, body(signing: "ed25519"))
            let id = try #require(made["webhook_id"]?.string.flatMap(WebhookID.init))
            #expect(made["secret"] == nil && !made.text.contains("whsk"))
            let publicKey = try #require(made["keys"]?[0]?["public_key"]?.string)
            let stored = try await key(1, of: id, site)
            let bytes = try #require(Data(base64Encoded: String(stored.dropFirst(5))))
            let pair = try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
            #expect(publicKey == "whpk_\(pair.publicKey.rawRepresentation.base64EncodedString())")

            let rotated = try await site.call(.post, "/v1/webhooks/\(id)/rotate", token)
            #expect(rotated.status == 200, "\(rotated.text)")
            let keys = try #require(rotated["keys"]?.array)
            #expect(keys.map { $0["number"]?.integer } == [2, 1])
            #expect(keys[1]["public_key"]?.string == publicKey && keys[0]["public_key"]?.string != publicKey)
            #expect(keys[0]["expires_at"]?.isNull == true)
            let end = try #require(keys[1]["expires_at"].flatMap(Timestamp.init(json:))?.date)
            #expect((86_000...86_500).contains(end.timeIntervalSinceNow))
        }
    }

    @Test func aChangeOfKeys() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let made = try await site.call(.post, "/v1/webhooks", token, body())
            let id = try #require(made["webhook_id"]?.string.flatMap(WebhookID.init))
            let path = "/v1/webhooks/\(id)/rotate"
            let rotated = try await site.call(.post, path, token, ["overlap_seconds": 60])
            let secret = try #require(rotated["secret"]?.string)
            #expect(secret != made["secret"]?.string)
            #expect(try await key(2, of: id, site) == secret)
            #expect(try await key(1, of: id, site) == made["secret"]?.string)
            for overlap in [-1, 604_801] {
                let wrong = try await site.call(.post, path, token, ["overlap_seconds": .int(overlap)])
                #expect(wrong.status == 422 && wrong.pointers == ["/overlap_seconds"])
            }
            for _ in 3...Webhooks.keyLimit {
                #expect(try await site.call(.post, path, token).status == 200)
            }
            let refused = try await site.call(.post, path, token)
            #expect(refused.status == 409 && refused["reason_code"]?.string == "too_many_keys")
            let anew = try await site.call(.post, path, token, ["overlap_seconds": 0])
            #expect(anew["keys"]?.array?.count == 1)
        }
    }

    @Test func switchingAndRemoving() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let made = try await site.call(.post, "/v1/webhooks", token, body())
            let path = "/v1/webhooks/\(try #require(made["webhook_id"]?.string))"
            for _ in 0..<2 {
                let off = try await site.call(.post, path + "/disable", token)
                #expect(off["enabled"]?.bool == false && off["disabled_because"]?.string == "person")
            }
            let on = try await site.call(.post, path + "/enable", token)
            #expect(on["enabled"]?.bool == true && on["disabled_because"]?.isNull == true)
            #expect(try await site.call(.delete, path, token).status == 204)
            for reply in [
                try await site.call(.get, path, token), try await site.call(.delete, path, token),
                try await site.call(.post, path + "/enable", token),
            ] {
                #expect(reply.status == 404)
            }
            let actions = try await site.pool.query(
                "SELECT action FROM audit WHERE action LIKE 'webhook.%' ORDER BY id")
            #expect(
                try actions.map { try $0.text(0) } == [
                    "webhook.created", "webhook.disabled", "webhook.enabled", "webhook.removed",
                ])
        }
    }

    @Test func whatIsNoWebhook() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            for url in [
                "http://example.com/x", "ftp://example.com", "https://", "https://user:pass@example.com/",
                "https://example.com/#part", "https://example.com/ä", "https://exa mple.com", "example.com",
                "https://example.com:0/", "https://[::1", "https://" + String(repeating: "a", count: 254),
            ] {
                let reply = try await site.call(.post, "/v1/webhooks", token, body(url))
                #expect(reply.status == 422 && reply.pointers == ["/url"], "\(url): \(reply.text)")
            }
            let wrong = try await site.call(.post, "/v1/webhooks", token, ["url": "https://x.example"])
            #expect(Set(wrong.pointers) == ["/label", "/signing"])
            let stranger = try await site.call(
                .post, "/v1/webhooks", token, body(user: UserID(UUID())))
            #expect(stranger.status == 404)
            #expect(try await site.pool.query("SELECT FROM webhooks").isEmpty)

            for number in 1...Webhooks.userLimit {
                #expect(try await site.call(.post, "/v1/webhooks", token, body()).status == 201, "\(number)")
            }
            let many = try await site.call(.post, "/v1/webhooks", token, body())
            #expect(many.status == 409 && many["reason_code"]?.string == "too_many_webhooks")

            let off = StarterAPI(
                pool: site.pool, families: [], outboxLeaseSeconds: 10, rateLimit: nil,
                logger: TestDatabase.quiet, makeID: timeOrderedID, publish: { _ in })
            let reply = try await Reply(
                of: off, .post, "/v1/webhooks", token, body().bytes,
                headers: [.contentType: "application/json"])
            #expect(reply.status == 409 && reply["reason_code"]?.string == "webhooks_off")
        }
    }
}
