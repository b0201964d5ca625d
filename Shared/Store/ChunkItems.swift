package import Operations
package import Postgres

/// The items of a chunk: frozen when the run was divided, each in doubt from right before its write until its result
/// is known. What many chunks record at the same moment is one commit.
package struct ChunkItems: Sendable {
    /// An item that has no result yet.
    package struct Item: Sendable, Hashable {
        /// The provider's id.
        package let key: String
        /// Whether a write was about to be sent, and nobody knows what came of it.
        package let isInDoubt: Bool
    }

    private struct Record: Sendable {
        let permit: ExecutionPermit
        let key: String
        let state: Ledger.Item.State
        let result: String?
    }

    private let pool: PostgresPool
    private let records: GroupCommit<Record, Bool>

    package init(pool: PostgresPool) {
        self.pool = pool
        records = GroupCommit { records in
            let jobs = records.map(\.permit.job)
            let runs = Parameter.uuids(jobs.map(\.runID.uuid))
            let rows = try await pool.pipeline([
                (Self.lock, [runs]),
                (
                    Self.record,
                    [
                        runs, .ints(jobs.map(\.chunk)), .ints(jobs.map(\.attempt)),
                        .texts(records.map(\.key)), .texts(records.map(\.state.rawValue)),
                        .texts(records.map(\.result)),
                    ]
                ),
            ])[1]
            let recorded = Set(try rows.map { "\(RunID(try $0.uuid("run_id"))) \(try $0.text("item_key"))" })
            return zip(jobs, records).map { recorded.contains("\($0.runID) \($1.key)") }
        }
    }

    private static let open: Statement = """
        SELECT item_key, state = 'in_doubt' AS is_in_doubt FROM run_items
        WHERE run_id = $1::uuid AND chunk = $2::int AND state IN ('untouched', 'in_doubt') ORDER BY item_key
        """

    /// The items of the permit's chunk that have no result.
    package func open(of permit: ExecutionPermit) async throws -> [Item] {
        try await pool.query(
            Self.open, [.uuid(permit.execution.runID.uuid), permit.chunk.map(Parameter.int) ?? .null]
        ).map { Item(key: try $0.text("item_key"), isInDoubt: try $0.bool("is_in_doubt")) }
    }

    private static let lock: Statement =
        "SELECT run_id FROM run_progress WHERE run_id = ANY ($1::uuid[]) ORDER BY run_id FOR NO KEY UPDATE"

    /// A result stays; what was given up records nothing. How far the run is moves with its items.
    private static let record: Statement = """
        WITH record AS (
            SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[], $6::text[])
                AS x (run_id, chunk, attempt, item_key, state, result)
        ), changed AS (
            UPDATE run_items i SET state = x.state, result = x.result
            FROM record x
            JOIN run_chunks k ON k.run_id = x.run_id AND k.chunk = x.chunk AND k.attempt = x.attempt
                             AND k.state = 'running'
            WHERE i.run_id = x.run_id AND i.item_key = x.item_key AND i.chunk = x.chunk
              AND i.state IN ('untouched', 'in_doubt')
            RETURNING i.run_id, i.item_key, i.state
        ), moved AS (
            UPDATE run_progress p SET done = p.done + c.count, updated_at = clock_timestamp()
            FROM (SELECT run_id, count(*) AS count FROM changed
                  WHERE state NOT IN ('untouched', 'in_doubt') GROUP BY run_id) AS c
            WHERE p.run_id = c.run_id
        )
        SELECT run_id, item_key FROM changed
        """

    /// Records where an item stands. Throws ``CallRefusal/attemptLost`` when the chunk was taken away from this
    /// attempt.
    package func record(
        _ key: String, _ state: Ledger.Item.State, _ result: String? = nil, under permit: ExecutionPermit
    ) async throws {
        let record = Record(permit: permit, key: key, state: state, result: result)
        if try await !records.submit(record) { throw CallRefusal.attemptLost }
    }
}
