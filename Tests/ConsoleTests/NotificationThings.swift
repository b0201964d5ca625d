import Fixtures
import FoundationEssentials
import Operations
import Postgres

@testable import Console

/// Something of each kind that the pages of notifications and dead letters show.
struct NotificationThings: Sendable {
    let webhook: WebhookID
    /// By e-mail; tried once and given up.
    let delivery: DeliveryID
    let deadLetter: DeadLetterID

    /// About a run: an entry in the person's inbox, a mail that was given up, a webhook of the person, a view of theirs, and
    /// a dead letter.
    @discardableResult
    static func make(
        _ stage: ConsoleStage, _ run: RunID, for user: UserID
    ) async throws -> NotificationThings {
        let (webhook, delivery, letter) = (UUID(), UUID(), UUID())
        let workspace = Parameter.uuid(stage.world.workspace.uuid)
        _ = try await stage.pool.pipeline([
            (
                """
                INSERT INTO webhooks (id, workspace_id, user_id, label, origin, url_key_id, sealed_url, signing)
                VALUES ($1::uuid, $2::uuid, $3::uuid, 'tickets', 'https://tickets.example.com', 'k', 'x', 'ed25519')
                """, [.uuid(webhook), workspace, .uuid(user.uuid)]
            ),
            (
                "INSERT INTO webhook_keys (webhook_id, number, key_id, sealed) VALUES ($1::uuid, 1, 'k', 'x')",
                [.uuid(webhook)]
            ),
            (
                """
                INSERT INTO notifications (id, run_id, channel, workspace_id, tenant_id, user_id, title, body, event,
                                           given_up_at, attempts)
                SELECT i, r.id, c, r.workspace_id, r.tenant_id, $3::uuid, 'Connection check on Tenant 1 ended', '', '{}',
                       CASE WHEN c = 'email' THEN now() END, 1
                FROM runs r, (VALUES ($2::uuid, 'email'), (gen_random_uuid(), 'inbox')) AS n (i, c)
                WHERE r.id = $1::uuid
                """, [.uuid(run.uuid), .uuid(delivery), .uuid(user.uuid)]
            ),
            (
                """
                INSERT INTO delivery_tries (notification_id, attempt, status, result)
                VALUES ($1::uuid, 1, 451, 'refused')
                """, [.uuid(delivery)]
            ),
            (
                """
                INSERT INTO saved_views (id, workspace_id, user_id, name, query)
                VALUES (gen_random_uuid(), $1::uuid, $2::uuid, 'mine', 'state:running')
                """, [workspace, .uuid(user.uuid)]
            ),
            (
                """
                INSERT INTO dead_letters (id, queue, digest, count, run_id, workspace_id, tenant_id, size, reason, died_at)
                SELECT $1::uuid, 'jobs.provider', encode(sha256(uuid_send($1::uuid)), 'hex'), 1, r.id, r.workspace_id,
                       r.tenant_id, 10, 'rejected', now()
                FROM runs r WHERE r.id = $2::uuid
                """, [.uuid(letter), .uuid(run.uuid)]
            ),
        ])
        return NotificationThings(
            webhook: WebhookID(webhook), delivery: DeliveryID(delivery), deadLetter: DeadLetterID(letter))
    }
}
