internal import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// Chooses what a bulk run changes: counted beforehand for people, and frozen when the run begins. Both ask the same
/// function of the database, so that they choose alike while the inventory stays as it is.
package struct RunDivision: Sendable {
    /// What a selection comes to.
    package struct Choice: Sendable, Hashable {
        package let eligible: Int
        /// How many can't be changed, by the word for why.
        package let ineligible: [String: Int]
        /// Names (or ids) of some that would be changed, in the order in which they would be.
        package let examples: [String]
    }

    package enum Answer: Sendable {
        /// The run goes on in chunks.
        case divided
        /// There is nothing to change: the counts of what can't be.
        case nothing(SummaryCounts)
        /// More than ``itemLimit``.
        case tooMany
        /// The run was taken away from this worker.
        case stale
    }

    /// The most items of a run; at ten a second they take about three hours.
    package static let itemLimit = 100_000
    /// How many items a chunk has at most: few, so that other tenants' chunks get their turn.
    private static let chunkSize = 25
    private static let exampleLimit = 10

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    // MARK: counting

    /// What a run with this selection would change if it began now.
    package func choice(
        _ selection: BulkSelection, of connection: ConnectionID
    ) async throws -> Choice {
        let rows = try await pool.query(
            Self.count,
            [.uuid(connection.uuid)] + Self.parameters(selection) + [.int(Self.exampleLimit)])
        var eligible = 0
        var ineligible: [String: Int] = [:]
        var examples: [String] = []
        for row in rows {
            let count = try row.int("count")
            if let why = try row.textOrNil("ineligible") {
                ineligible[why] = count
            } else {
                eligible = count
                examples = try JSON(parsing: try row.text("examples")).array?.compactMap(\.string) ?? []
            }
        }
        return Choice(eligible: eligible, ineligible: ineligible, examples: examples)
    }

    private static let count: Statement = """
        SELECT s.ineligible, count(*) AS count,
               to_jsonb((array_agg(coalesce(s.name, s.item_key) ORDER BY s.item_key))[1:$5::int])::text AS examples
        FROM provider_connections c
        CROSS JOIN bulk_selection(c.tenant_id, c.id, $2::text, $3::jsonb, $4::text[]) s
        WHERE c.id = $1::uuid
        GROUP BY s.ineligible
        """

    private static func parameters(_ selection: BulkSelection) -> [Parameter] {
        let kind = selection.kind.map { Parameter.text($0.rawValue) } ?? .null
        return switch selection.choice {
        case .filter(let filter): [kind, .json(filter.text), .null]
        case .items(let ids): [kind, .null, .texts(ids)]
        }
    }

    // MARK: freezing

    private static let freeze: Statement = """
        WITH chosen AS (
            SELECT r.id AS run_id, r.tenant_id, s.item_key, s.ineligible,
                   row_number() OVER (PARTITION BY s.ineligible IS NULL ORDER BY s.item_key) AS place
            FROM runs r, bulk_selection(r.tenant_id, r.connection_id, $2::text, $3::jsonb, $4::text[]) s
            WHERE r.id = $1::uuid
        ), items AS (
            INSERT INTO run_items (run_id, item_key, state, result, chunk)
            SELECT run_id, item_key, CASE WHEN ineligible IS NULL THEN 'untouched' ELSE 'failed' END, ineligible,
                   CASE WHEN ineligible IS NULL THEN (place - 1) / $5::int + 1 END
            FROM chosen
        ), chunks AS (
            INSERT INTO run_chunks (tenant_id, run_id, chunk)
            SELECT DISTINCT tenant_id, run_id, (place - 1) / $5::int + 1 FROM chosen WHERE ineligible IS NULL
        ), progress AS (
            INSERT INTO run_progress (run_id, done, total)
            SELECT $1::uuid, count(ineligible), count(*) FROM chosen
            ON CONFLICT (run_id) DO UPDATE SET done = excluded.done, total = excluded.total
        )
        SELECT count(*) AS total, count(ineligible) AS ineligible FROM chosen
        """

    private struct TooMany: Error {}

    /// Freezes what the run of the permit changes, divides it into chunks, and gives it to them, in one transaction.
    /// The first chunks' messages are in the outbox then.
    package func divide(_ selection: BulkSelection, under permit: ExecutionPermit) async throws -> Answer {
        do {
            return try await pool.transaction { transaction in
                try await divide(selection, permit, transaction)
            }
        } catch is TooMany {
            return .tooMany
        }
    }

    private func divide(
        _ selection: BulkSelection, _ permit: ExecutionPermit, _ transaction: Transaction
    ) async throws -> Answer {
        let id = permit.execution.runID
        let ids = Parameter.uuids([id.uuid])
        let rows = try await transaction.pipeline([
            (ChunkWriter.lockRuns, [ids]), (Self.holder, [.uuid(id.uuid)]),
            (AuthorityReading.facts, [ids, .null]),
        ])
        guard let reading = try rows[2].first.map(AuthorityReadingRow.init), reading.run.state == .running,
            reading.run.attempt == permit.attempt, let holder = try rows[1].first?.uuidOrNil("worker_id")
        else { return .stale }
        let frozen = try await transaction.query(
            Self.freeze, [.uuid(id.uuid)] + Self.parameters(selection) + [.int(Self.chunkSize)])[0]
        let (total, ineligible) = (try frozen.int("total"), try frozen.int("ineligible"))
        guard total <= Self.itemLimit else { throw TooMany() }
        guard total > ineligible else {
            var counts = SummaryCounts.ofItems()
            counts.add(ineligible, in: .failed)
            return .nothing(counts)
        }
        let now = reading.facts.readAt
        let chunks = (total - ineligible + Self.chunkSize - 1) / Self.chunkSize
        let transitions = [RunTransition.divide(reading.run, chunks: chunks)]
        // Nobody hands these messages over: a relay finds them at once.
        let writer = TransitionWriter(outboxLeaseSeconds: 0)
        let (statement, parameters) = writer.call(transitions, heldBy: holder, completedAt: now)
        _ = try await transaction.query(statement, parameters)
        _ = try await ChunkWriter(outboxLeaseSeconds: 0).settle([reading.run], now: now, transaction)
        return .divided
    }

    private static let holder: Statement = "SELECT worker_id FROM runs WHERE id = $1::uuid"
}
