package import FoundationEssentials
package import Operations
package import Postgres

/// Keeps in the database what lies in the dead-letter queues, without what the messages say. Any number of processes may:
/// each queue is gone through by one at a time.
package struct DeadLetterMirror: Sendable {
    /// A message as it was seen in its queue.
    package struct Seen: Sendable, Hashable {
        package let digest: String
        /// The run that it names, whether there is one or not.
        package let run: RunID?
        package let reason: String?
        package let diedAt: Date?
        package let messageID: String?
        package let type: String?
        /// In bytes.
        package let size: Int

        package init(
            digest: String, run: RunID?, reason: String?, diedAt: Date?, messageID: String?, type: String?,
            size: Int
        ) {
            self.digest = digest
            self.run = run
            self.reason = reason
            self.diedAt = diedAt
            self.messageID = messageID
            self.type = type
            self.size = size
        }
    }

    /// What a person wants done with a message.
    package struct Wish: Sendable, Hashable {
        package let word: DeadLetterWish
        package let user: UserID
        /// Why; there in any case when it is to be dropped.
        package let note: String?
    }

    /// What came of going through a queue.
    package struct Look: Sendable {
        /// What lies there now, oldest first.
        package var seen: [Seen] = []
        /// The digests of those that were put back or dropped.
        package var done: Set<String> = []
        /// Why others were not, by their digests.
        package var troubles: [String: String] = [:]
        /// How many lie there behind those that were looked at.
        package var behind = 0

        package init() {}
    }

    /// How long a queue belongs to whoever goes through it; many times as long as that takes.
    private static let holdSeconds = 60.0
    /// A queue that seems to be as before is gone through again after this time: one may have gone and another come.
    private static let staleSeconds = 600.0
    /// What is not found is forgotten after this time. A person who looks through the queue has it in their hands meanwhile.
    private static let missingSeconds = 60.0
    /// The longest trouble that is kept, in characters.
    private static let troubleLimit = 500

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let take: Statement = """
        INSERT INTO dead_letter_queues AS q (queue, depth, held_until)
        SELECT d.queue, d.depth, clock_timestamp() + make_interval(secs => $3::float8)
        FROM unnest($1::text[], $2::bigint[]) AS d (queue, depth) ORDER BY d.queue
        ON CONFLICT (queue) DO UPDATE SET held_until = excluded.held_until
        WHERE (q.held_until IS NULL OR q.held_until < clock_timestamp())
          AND (q.looked_at IS NULL OR q.depth <> excluded.depth
               OR (q.depth > 0 AND q.looked_at < clock_timestamp() - make_interval(secs => $4::float8))
               OR EXISTS (SELECT FROM dead_letters l WHERE l.queue = q.queue AND l.wish IS NOT NULL))
        RETURNING q.queue
        """

    private static let forget: Statement = """
        DELETE FROM dead_letters WHERE missed_at < clock_timestamp() - make_interval(secs => $1::float8)
        """

    /// Takes the queues that are to be gone through: those whose depth is another than before, or of which somebody wants
    /// something done. They are this process's until ``finish(_:_:)``, or for a minute.
    package func take(_ depths: [String: Int]) async throws -> [String] {
        let (queues, counts) = (Array(depths.keys), Array(depths.values))
        let results = try await pool.pipeline([
            (Self.forget, [.double(Self.missingSeconds)]),
            (
                Self.take,
                [.texts(queues), .ints(counts), .double(Self.holdSeconds), .double(Self.staleSeconds)]
            ),
        ])
        return try results[1].map { try $0.text("queue") }.sorted()
    }

    private static let wished: Statement = """
        SELECT digest, wish, wished_by, note FROM dead_letters WHERE queue = $1 AND wish IS NOT NULL
        """

    /// What people want done with messages of a queue, by their digests.
    package func wishes(of queue: String) async throws -> [String: Wish] {
        var wishes: [String: Wish] = [:]
        for row in try await pool.query(Self.wished, [.text(queue)]) {
            let word = try row.text("wish")
            guard let known = DeadLetterWish(rawValue: word) else {
                throw StoreError.unreadable("wish", word)
            }
            wishes[try row.text("digest")] = Wish(
                word: known, user: UserID(try row.uuid("wished_by")), note: try row.textOrNil("note"))
        }
        return wishes
    }

    private static let remove: Statement =
        "DELETE FROM dead_letters WHERE queue = $1 AND digest = ANY ($2::text[])"

    private static let write: Statement = """
        INSERT INTO dead_letters AS l (queue, digest, count, run_id, workspace_id, tenant_id, reason, died_at, size, type,
                                       message_id)
        SELECT $1, s.digest, s.count, r.id, r.workspace_id, r.tenant_id, s.reason, s.died_at, s.size, s.type,
               s.message_id
        FROM unnest($2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::timestamptz[], $7::bigint[], $8::text[],
                    $9::text[])
            AS s (digest, count, run_id, reason, died_at, size, type, message_id)
        LEFT JOIN runs r ON r.id = s.run_id
        ON CONFLICT (queue, digest) DO UPDATE SET count = excluded.count, missed_at = NULL
        WHERE l.count <> excluded.count OR l.missed_at IS NOT NULL
        """

    private static let miss: Statement = """
        UPDATE dead_letters SET missed_at = clock_timestamp()
        WHERE queue = $1 AND missed_at IS NULL AND digest <> ALL ($2::text[])
        """

    private static let complain: Statement = """
        UPDATE dead_letters l SET wish = NULL, wished_by = NULL, wished_at = NULL, note = NULL, trouble = t.trouble
        FROM unnest($2::text[], $3::text[]) AS t (digest, trouble)
        WHERE l.queue = $1 AND l.digest = t.digest
        """

    private static let leave: Statement = """
        UPDATE dead_letter_queues SET depth = $2::int, looked_at = clock_timestamp(), held_until = NULL WHERE queue = $1
        """

    /// Writes down what was seen in a queue that was taken, and lets it go.
    package func finish(_ queue: String, _ look: Look) async throws {
        var counts: [String: Int] = [:]
        for one in look.seen { counts[one.digest, default: 0] += 1 }
        var written: Set<String> = []
        let seen = look.seen.filter { written.insert($0.digest).inserted }
        let name = Parameter.text(queue)
        let troubles = Array(look.troubles)
        _ = try await pool.pipeline([
            (Self.remove, [name, .texts(Array(look.done))]),
            (
                Self.write,
                [
                    name, .texts(seen.map(\.digest)), .ints(seen.map { counts[$0.digest] }),
                    .uuids(seen.map(\.run?.uuid)), .texts(seen.map(\.reason)),
                    .timestamps(seen.map(\.diedAt)), .ints(seen.map(\.size)), .texts(seen.map(\.type)),
                    .texts(seen.map(\.messageID)),
                ]
            ),
            (Self.miss, [name, .texts(seen.map(\.digest))]),
            (
                Self.complain,
                [
                    name, .texts(troubles.map(\.key)),
                    .texts(troubles.map { String($0.value.prefix(Self.troubleLimit)) }),
                ]
            ),
            (Self.leave, [name, .int(look.seen.count + look.behind)]),
        ])
    }

    private static let release: Statement =
        "UPDATE dead_letter_queues SET held_until = NULL WHERE queue = ANY ($1::text[])"

    /// Lets queues go that were taken and not gone through.
    package func release(_ queues: [String]) async throws {
        _ = try await pool.query(Self.release, [.texts(queues)])
    }
}
