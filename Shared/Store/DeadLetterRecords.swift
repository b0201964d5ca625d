internal import JSON
package import Operations
package import Postgres

/// Writes into the audit what was done with messages that nobody could process.
package struct DeadLetterRecords: Sendable {
    /// What was done with a message.
    package struct Entry: Sendable, Hashable {
        /// ``AuditAction/deadLetterRedriven`` or ``AuditAction/deadLetterDropped``.
        package let action: AuditAction
        /// Who wanted it; nil for the operator's command.
        package let actor: UserID?
        /// The run that the message names, if it names one.
        package let run: RunID?
        /// The queue that it was for.
        package let queue: String
        /// A digest of the message: what it said is not kept.
        package let digest: String
        /// Its size in bytes.
        package let size: Int
        /// Why it lay there, in the broker's word.
        package let reason: String?
        /// Why a person dropped it.
        package let note: String?

        package init(
            action: AuditAction, actor: UserID?, run: RunID?, queue: String, digest: String, size: Int,
            reason: String?, note: String?
        ) {
            self.action = action
            self.actor = actor
            self.run = run
            self.queue = queue
            self.digest = digest
            self.size = size
            self.reason = reason
            self.note = note
        }
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// A message that names no run of ours concerns no workspace: it is entered under the nil UUID.
    private static let insert: Statement = """
        INSERT INTO audit (action, workspace_id, tenant_id, actor_id, run_id, details)
        SELECT $1, coalesce(r.workspace_id, '00000000-0000-0000-0000-000000000000'), r.tenant_id, $4::uuid, r.id,
               $3::jsonb
        FROM (VALUES (1)) AS one LEFT JOIN runs r ON r.id = $2::uuid
        """

    /// Enters it. To be done before the message is gone for good.
    package func enter(_ entry: Entry) async throws {
        let details: JSON = [
            "queue": .string(entry.queue), "digest": .string(entry.digest), "size": .int(entry.size),
            "dead_because": .optional(entry.reason), "note": .optional(entry.note),
        ]
        _ = try await pool.query(
            Self.insert,
            [
                .text(entry.action.rawValue), entry.run.map { .uuid($0.uuid) } ?? .null, .json(details.text),
                entry.actor.map { .uuid($0.uuid) } ?? .null,
            ])
    }
}
