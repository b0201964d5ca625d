package import Operations
package import Postgres

/// Reads the whole audit, and looks whether it is what was sealed. It recomputes everything by itself: nothing in the
/// database is believed because the database says so.
///
/// What it can't see: a record that is written now by somebody who may write, and the removal of the newest blocks
/// together with their records. Whoever keeps a chain's head elsewhere sees the latter, too: a head that was there once
/// stays in the chain.
package struct AuditVerification: Sendable {
    /// What became of a record, or of a block, since it was sealed.
    package enum Change: String, Sendable {
        case altered, removed, inserted
        /// The block itself: its list of records, or its place in the chain.
        case blockAltered = "block_altered"
        case blockRemoved = "block_removed"
    }

    /// The first that is not as it was.
    package struct Finding: Sendable, Hashable {
        package let change: Change
        /// Nil when a block is meant.
        package let recordID: Int?
        /// The block's number; nil for a record that is in none.
        package let block: Int?
        /// What the record says now; nil when it is gone.
        package let entry: AuditEntry?
    }

    /// The audit of a workspace.
    package struct Chain: Sendable, Hashable {
        package let workspaceID: WorkspaceID
        package let name: String
        package internal(set) var blocks = 0
        /// Sealed records that were looked at.
        package internal(set) var records = 0
        /// Records that are too fresh to be sealed.
        package internal(set) var unsealed = 0
        /// The newest block's hash; empty before the first.
        package internal(set) var head: [UInt8] = []
        /// Whether the head that the caller knows is one of the chain's; nil when the caller knows none.
        package internal(set) var hasKnownHead: Bool?
        /// Whether it stopped at its bounds: what comes behind was not looked at.
        package internal(set) var isCut = false
        /// Nil when all that was looked at is as it was recorded.
        package internal(set) var finding: Finding?
    }

    /// How much is looked at, at most. The command line looks at everything; whoever waits for a page can't.
    package struct Bounds: Sendable {
        package let records: Int
        package let duration: Duration

        package init(records: Int, duration: Duration) {
            self.records = records
            self.duration = duration
        }
    }

    /// A record's time is taken right before its transaction is known to have begun.
    private static let slackMicroseconds = 60 * 1_000_000
    private static let blocksAtOnce = 4
    /// What the database says when a statement takes longer than it may.
    private static let queryCancelled = "57014"
    /// Records are read so many at a time.
    private static let pageSize = 2_000

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let settled: Statement =
        "SELECT server IS NOT DISTINCT FROM audit_server() AS is_here FROM audit_horizon"

    private static let workspaces: Statement = "SELECT id, name FROM workspaces ORDER BY name, id"

    /// Verifies the chain of each workspace, or of one. `knownHead` is a hash that was a chain's head once.
    /// `progress` is told now and then how many records of a workspace were looked at. `bounds` hold for each workspace.
    /// Throws ``StoreError/notSettled`` as long as the audit has not come to this server (``AuditSeals/settle()``).
    package func verify(
        _ workspace: WorkspaceID?, knownHead: [UInt8]?, within bounds: Bounds? = nil,
        progress: (String, Int) -> Void
    ) async throws -> [Chain] {
        // What was recorded since would look as if it had been slipped in.
        guard try await pool.query(Self.settled)[0].bool("is_here") else { throw StoreError.notSettled }
        let all = try await pool.query(Self.workspaces).map {
            Chain(workspaceID: WorkspaceID(try $0.uuid("id")), name: try $0.text("name"))
        }
        let chosen = all.filter { workspace == nil || $0.workspaceID == workspace }
        guard !chosen.isEmpty else { throw StoreError.notFound("workspace") }
        var chains: [Chain] = []
        for var chain in chosen {
            chain.hasKnownHead = knownHead.map { _ in false }
            try await verify(&chain, knownHead, bounds, progress)
            chains.append(chain)
        }
        return chains
    }

    private func verify(
        _ chain: inout Chain, _ knownHead: [UInt8]?, _ bounds: Bounds?, _ progress: (String, Int) -> Void
    ) async throws {
        let end = bounds.map { ContinuousClock.now + $0.duration }
        // What is final is read first: it is in the blocks that are read afterwards.
        let loose = try await looseRecords(of: chain.workspaceID, isBounded: bounds != nil)
        chain.unsealed = loose?.fresh ?? 0
        var previous = AuditBlock.start
        while chain.finding == nil, !chain.isCut {
            let blocks = try await blocks(of: chain.workspaceID, after: chain.blocks)
            if blocks.isEmpty { break }
            for block in blocks where chain.finding == nil && !chain.isCut {
                if let bounds, let end, chain.records >= bounds.records || ContinuousClock.now >= end {
                    chain.isCut = true
                    continue
                }
                chain.finding = try await firstChange(block, after: previous, in: &chain)
                previous = block.hash
                chain.head = block.hash
                if block.hash == knownHead { chain.hasKnownHead = true }
                progress(chain.name, chain.records)
            }
        }
        if loose == nil { chain.isCut = true }
        // What a block that is missed had is in none now: then it is the block that is named.
        if let first = loose?.first, chain.finding == nil || first.id < chain.finding?.recordID ?? 0 {
            chain.finding = Finding(change: .inserted, recordID: first.id, block: nil, entry: first)
        }
    }

    // MARK: blocks

    private static let blocks: Statement = """
        SELECT number, (extract(epoch FROM begun_after) * 1000000)::bigint AS begun_after, ids, digests, hash
        FROM audit_blocks WHERE workspace_id = $1::uuid AND number > $2::bigint ORDER BY number LIMIT $3::int
        """

    private func blocks(of workspace: WorkspaceID, after number: Int) async throws -> [AuditBlock] {
        try await pool.query(
            Self.blocks, [.uuid(workspace.uuid), .int(number), .int(Self.blocksAtOnce)]
        ).map(AuditBlock.init)
    }

    private func firstChange(
        _ block: AuditBlock, after previous: [UInt8], in chain: inout Chain
    ) async throws -> Finding? {
        let expected = chain.blocks + 1
        chain.blocks += 1
        guard block.number == expected else {
            return Finding(change: .blockRemoved, recordID: nil, block: expected, entry: nil)
        }
        var start = 0
        while start < block.ids.count {
            let range = start..<min(start + Self.pageSize, block.ids.count)
            if let finding = try await firstChange(block, range) { return finding }
            chain.records += range.count
            start = range.upperBound
        }
        guard block.hash == block.expectedHash(in: chain.workspaceID, after: previous) else {
            return Finding(change: .blockAltered, recordID: nil, block: block.number, entry: nil)
        }
        return nil
    }

    // MARK: records

    private static let records: Statement = """
        SELECT id, (extract(epoch FROM at) * 1000000)::bigint AS microseconds, action, workspace_id, tenant_id,
               actor_id, run_id, details::text AS details
        FROM audit WHERE id = ANY ($1::bigint[]) ORDER BY id, at
        """

    private func firstChange(_ block: AuditBlock, _ range: Range<Int>) async throws -> Finding? {
        let entries = try await pool.query(Self.records, [.ints(Array(block.ids[range]))]).map(
            AuditEntry.init)
        var next = entries[...]
        for index in range {
            let id = block.ids[index]
            func finding(_ change: Change, _ entry: AuditEntry?) -> Finding {
                Finding(change: change, recordID: id, block: block.number, entry: entry)
            }
            guard let entry = next.first, entry.id == id else { return finding(.removed, nil) }
            next.removeFirst()
            if let twin = next.first, twin.id == id {
                // An id is given once: the one that was sealed is not the one that was slipped in.
                let isFirst = entry.digest.elementsEqual(block.digest(at: index))
                return finding(.inserted, isFirst ? twin : entry)
            }
            guard entry.digest.elementsEqual(block.digest(at: index)) else { return finding(.altered, entry) }
            guard entry.microseconds >= block.begunAfter - Self.slackMicroseconds else {
                return finding(.inserted, entry)
            }
        }
        return nil
    }

    /// Records that no block has though they should be in one: written behind the horizon, or with a time before it.
    /// The others are fresh.
    private static let loose: Statement = """
        WITH sealed AS MATERIALIZED (
            SELECT unnest(ids) AS id FROM audit_blocks WHERE workspace_id = $1::uuid
        ), loose AS (
            SELECT a.*, a.id < h.first_id OR a.xact < h.sealed_before
                        OR a.at < h.begun_after - make_interval(secs => $2::float8) AS is_late
            FROM audit a CROSS JOIN audit_horizon h
            WHERE a.workspace_id = $1::uuid AND NOT EXISTS (SELECT FROM sealed s WHERE s.id = a.id)
        )
        SELECT id, (extract(epoch FROM at) * 1000000)::bigint AS microseconds, action, workspace_id, tenant_id,
               actor_id, run_id, details::text AS details, (SELECT count(*) FROM loose WHERE NOT is_late) AS fresh
        FROM (SELECT * FROM loose WHERE is_late ORDER BY id LIMIT 1) l
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, (SELECT count(*) FROM loose WHERE NOT is_late)
        LIMIT 2
        """

    /// Nil when it is bounded and the database would need longer than a statement may take.
    private func looseRecords(
        of workspace: WorkspaceID, isBounded: Bool
    ) async throws -> (first: AuditEntry?, fresh: Int)? {
        let rows: Rows
        do {
            rows = try await pool.query(
                Self.loose,
                [.uuid(workspace.uuid), .double(Double(Self.slackMicroseconds) / 1_000_000)])
        } catch let error as PostgresError where isBounded && error.sqlState == Self.queryCancelled {
            return nil
        }
        let first = try rows.first { try !$0.isNull("id") }.map(AuditEntry.init)
        return (first, try rows[0].int("fresh"))
    }
}
