package import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// What a run has done so far, item by item, and from where another attempt goes on (H8).
package struct Ledger: Sendable {
    /// One item's outcome.
    package struct Item: Sendable, Hashable {
        /// How an item came out.
        package enum State: String, Sendable, CaseIterable {
            case applied, failed, skipped
            /// Something was begun on it: it may have been done, or done in part.
            case inDoubt = "in_doubt"
            /// Only looked at: what would be done is its result.
            case planned
            /// Frozen when the run was divided, and nothing was begun on it.
            case untouched
        }

        /// What it is: a device's id, a step's name. 1 to 512 characters.
        package let key: String
        package let state: State
        /// A stable word for what came of it.
        package let result: String?
        /// What people call it; at most 1,024 characters. Nil where the key says it.
        package var label: String?
        /// A sentence about what came of it; at most 1,024 characters.
        package var detail: String?
        /// The provider's id of the object that it is, or has become.
        package var objectID: String?

        package init(
            key: String, state: State, result: String?, label: String? = nil, detail: String? = nil,
            objectID: String? = nil
        ) {
            self.key = key
            self.state = state
            self.result = result
            self.label = label
            self.detail = detail
            self.objectID = objectID
        }
    }

    /// An item as an earlier attempt, or an earlier step, left it.
    package struct Recorded: Sendable, Hashable {
        package let item: Item
        /// When it last became in doubt, by the database's clock.
        package let intendedAt: Date?
        /// How long ago that was, in seconds.
        package let age: Double?
    }

    /// How far a run is.
    package struct Progress: Sendable, Hashable {
        package var done: Int
        /// Nil while it is not known.
        package var total: Int?
        /// From where to go on; nil at the start and at the end.
        package var cursor: String?

        package init(done: Int, total: Int?, cursor: String?) {
            self.done = done
            self.total = total
            self.cursor = cursor
        }
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    // All statements join the run with the attempt that the caller believes in: a worker that was given up
    // records nothing.

    private static let record: Statement = """
        INSERT INTO run_items (run_id, item_key, state, result, label, detail, object_id, intended_at)
        SELECT r.id, i.key, i.state, i.result, left(i.label, 1024), left(i.detail, 1024), i.object_id,
               CASE i.state WHEN 'in_doubt' THEN clock_timestamp() END
        FROM runs r, unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
            AS i (key, state, result, label, detail, object_id)
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
        ON CONFLICT (run_id, item_key) DO UPDATE SET
            state = excluded.state, result = excluded.result, label = excluded.label, detail = excluded.detail,
            object_id = excluded.object_id, intended_at = coalesce(excluded.intended_at, run_items.intended_at)
        """

    /// Items of an earlier page or attempt that are recorded elsewhere now.
    private static let clear: Statement = """
        DELETE FROM run_items i USING runs r
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
          AND i.run_id = r.id AND i.item_key = ANY ($3::text[])
        """

    private static let move: Statement = """
        INSERT INTO run_progress (run_id, done, total, cursor)
        SELECT r.id, $3::bigint, $4::bigint, $5::text FROM runs r
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
        ON CONFLICT (run_id) DO UPDATE SET
            done = excluded.done, total = excluded.total, cursor = excluded.cursor,
            updated_at = clock_timestamp()
        RETURNING run_id
        """

    /// Records items and the new position together. An item that is there already gets the later state; those in
    /// `cleared` are as if nothing had been recorded of them.
    /// Throws ``CallRefusal/attemptLost`` when the run was taken away from this attempt.
    package func record(
        _ items: [Item], cleared: [String] = [], progress: Progress, under permit: ExecutionPermit
    ) async throws {
        try Self.checkMoved(
            await pool.pipeline(Self.calls(items, cleared: cleared, progress: progress, under: permit)))
    }

    /// The statements that record items and the new position, for a transaction that records more with them. They
    /// come last in it.
    static func calls(
        _ items: [Item], cleared: [String] = [], progress: Progress, under permit: ExecutionPermit
    ) -> [(Statement, [Parameter])] {
        let run: [Parameter] = [.uuid(permit.execution.runID.uuid), .int(permit.attempt)]
        var calls: [(Statement, [Parameter])] = []
        if !cleared.isEmpty { calls.append((clear, run + [.texts(cleared)])) }
        let unique = items.lastOfEach(\.key)
        if !unique.isEmpty {
            calls.append(
                (
                    Self.record,
                    run + [
                        .texts(unique.map(\.key)), .texts(unique.map(\.state.rawValue)),
                        .texts(unique.map(\.result)), .texts(unique.map(\.label)),
                        .texts(unique.map(\.detail)), .texts(unique.map(\.objectID)),
                    ]
                ))
        }
        calls.append(
            (
                Self.move,
                run + [
                    .int(progress.done), progress.total.map(Parameter.int) ?? .null,
                    progress.cursor.map(Parameter.text) ?? .null,
                ]
            ))
        return calls
    }

    /// Throws ``CallRefusal/attemptLost`` when the position was not moved: the run is another attempt's.
    static func checkMoved(_ results: [Rows]) throws {
        if results.last!.isEmpty { throw CallRefusal.attemptLost }
    }

    /// How far an earlier attempt came; nil when it recorded nothing.
    package func progress(of run: RunID) async throws -> Progress? {
        try await pool.query(
            "SELECT done, total, cursor FROM run_progress WHERE run_id = $1::uuid", [.uuid(run.uuid)]
        ).first.map {
            Progress(done: try $0.int(0), total: try $0.intOrNil(1), cursor: try $0.textOrNil(2))
        }
    }

    private static let recorded: Statement = """
        SELECT item_key, state, result, label, detail, object_id, intended_at,
               extract(epoch FROM clock_timestamp() - intended_at)::float8 AS age
        FROM run_items WHERE run_id = $1::uuid ORDER BY item_key LIMIT $2::int
        """

    /// All that is recorded of a run that has at most `limit` items.
    package func items(of run: RunID, limit: Int) async throws -> [Recorded] {
        try await pool.query(Self.recorded, [.uuid(run.uuid), .int(limit)]).map { row in
            Recorded(
                item: try Item(row), intendedAt: try row.dateOrNil("intended_at"),
                age: try row.doubleOrNil("age"))
        }
    }

    private static let page: Statement = """
        SELECT item_key, state, result, label, detail, object_id FROM run_items
        WHERE run_id = $1::uuid AND item_key > $2 AND ($4::text IS NULL OR state = $4)
        ORDER BY item_key LIMIT $3::int
        """

    /// A page of a run's items in the order of their keys; those after `after`, in any or in one state. Who may see them
    /// is for the caller to decide.
    package func page(
        of run: RunID, in state: Item.State? = nil, after: String?, limit: Int
    ) async throws -> Page<Item> {
        let rows = try await pool.query(
            Self.page,
            [
                .uuid(run.uuid), .text(after ?? ""), .int(Page<Item>.rows(for: limit)),
                state.map { .text($0.rawValue) } ?? .null,
            ]
        ).map(Item.init)
        return Page(rows: rows, limit: limit)
    }

    /// How many items are in each state with each result.
    package func tally(of run: RunID) async throws -> [(state: Item.State, result: String?, count: Int)] {
        try await pool.query(
            "SELECT state, result, count(*) AS count FROM run_items WHERE run_id = $1::uuid GROUP BY state, result",
            [.uuid(run.uuid)]
        ).map { row in
            (try row.itemState("state"), try row.textOrNil("result"), try row.int("count"))
        }
    }
}

extension Ledger.Item {
    fileprivate init(_ row: Row) throws {
        self.init(
            key: try row.text("item_key"), state: try row.itemState("state"),
            result: try row.textOrNil("result"),
            label: try row.textOrNil("label"), detail: try row.textOrNil("detail"),
            objectID: try row.textOrNil("object_id"))
    }
}

extension Array {
    /// The last element with each key, at the place of the first. A page may name a thing twice; one statement may not.
    func lastOfEach<Key: Hashable>(_ key: (Element) -> Key) -> [Element] {
        var positions: [Key: Int] = [:]
        var unique: [Element] = []
        for element in self {
            if let position = positions[key(element)] {
                unique[position] = element
            } else {
                positions[key(element)] = unique.count
                unique.append(element)
            }
        }
        return unique
    }
}
