import Waiting
import Fixtures
import Foundation
import Operations
import Postgres
import SeededRandom
import Store
import Testing

/// The audit's chain of seals, and what it shows.
@Suite("Audit chain")
struct AuditChainTests {
    @Test("what nobody touched is as it was recorded")
    func untouched() async throws {
        try await Stand.with { stand in
            try await stand.record(batches: 3, of: 40)
            let chain = try await stand.verified()
            #expect(chain.finding == nil)
            #expect(chain.blocks >= 3)
            #expect(try await chain.records == stand.count("SELECT count(*) FROM audit"))
            #expect(chain.unsealed == 0)
            #expect(chain.head.count == 32)
            #expect(chain.hasKnownHead == nil)
        }
    }

    @Test("a head stays in the chain; when the end is removed with its records it is missed")
    func heads() async throws {
        try await Stand.with { stand in
            try await stand.record(batches: 2, of: 10)
            let head = try await stand.verified().head
            try await stand.record(batches: 1, of: 10)
            #expect(try await stand.verified(knownHead: head).hasKnownHead == true)
            let last = try await stand.verified().head
            try await stand.tamper([
                """
                DELETE FROM audit WHERE id IN (
                    SELECT unnest(ids) FROM audit_blocks ORDER BY number DESC LIMIT
                        (SELECT count(*) FROM unnest((SELECT ids FROM audit_blocks ORDER BY number DESC LIMIT 1))))
                """,
                "DELETE FROM audit_blocks WHERE number = (SELECT max(number) FROM audit_blocks)",
            ])
            let cut = try await stand.verified(knownHead: last)
            #expect(cut.finding == nil)
            #expect(cut.hasKnownHead == false)
        }
    }

    @Test("each workspace has a chain of its own")
    func workspaces() async throws {
        try await Stand.with { stand in
            let other = WorkspaceID(UUID())
            _ = try await stand.pool.query(
                "INSERT INTO workspaces (id, name) VALUES ($1::uuid, 'Other')", [.uuid(other.uuid)])
            try await stand.record(batches: 2, of: 10)
            try await stand.record(batches: 2, of: 5, in: other)
            try await stand.tamper(["UPDATE audit SET action = 'run.ended' WHERE action = 'test.3'"])
            let chains = try await AuditVerification(pool: stand.pool).verify(nil, knownHead: nil) { _, _ in }
            #expect(Set(chains.map(\.workspaceID)) == [stand.world.workspace, other])
            #expect(chains.allSatisfy { $0.finding?.change == .altered })
            // A record that moves to the other workspace is missed here, and was not there.
            try await stand.tamper([
                "UPDATE audit SET action = 'test.3' WHERE action = 'run.ended' AND run_id IS NULL",
                """
                UPDATE audit SET workspace_id = (SELECT id FROM workspaces WHERE name = 'Other')
                WHERE id = (SELECT min(id) FROM audit WHERE action LIKE 'test.%')
                """,
            ])
            let moved = try await AuditVerification(pool: stand.pool).verify(nil, knownHead: nil) { _, _ in }
            #expect(
                moved.map { $0.finding?.change }
                    == (moved[0].name == "Other" ? [.inserted, .altered] : [.altered, .inserted]))
            await #expect(throws: StoreError.self) {
                try await AuditVerification(pool: stand.pool)
                    .verify(WorkspaceID(UUID()), knownHead: nil) { _, _ in }
            }
        }
    }

    @Test(
        "writers that commit in any order, roll back, and sealers at the same time: each record is in one block"
    )
    func concurrency() async throws {
        try await Stand.with(poolSize: 12) { stand in
            let writing = Task {
                try await withThrowingTaskGroup { group in
                    for writer in 0..<8 {
                        group.addTask { try await stand.write(writer) }
                    }
                    try await group.waitForAll()
                }
            }
            let sealers = (0..<2).map { _ in
                Task { while !Task.isCancelled { _ = try await AuditSeals(pool: stand.pool).seal() } }
            }
            try await writing.value
            for sealer in sealers {
                sealer.cancel()
                _ = await sealer.result
            }
            let chain = try await stand.verified()
            #expect(chain.finding == nil)
            #expect(try await chain.records == stand.count("SELECT count(*) FROM audit"))
            #expect(chain.blocks > 3)
            let listed = try await stand.count("SELECT sum(cardinality(ids))::int FROM audit_blocks")
            #expect(listed == chain.records)
        }
    }

    /// A dump is restored on a server that has made fewer transactions: each record there has a lower number.
    @Test("on another server nothing is sealed or judged before it is settled, and then everything once")
    func anotherServer() async throws {
        try await Stand.with { stand in
            try await stand.record(batches: 3, of: 20)
            // What was not sealed when the dump was made.
            try await stand.pool.transaction { try await stand.insert(5, in: $0) }
            let before = try await stand.verified().head
            try await stand.comeFromAnotherServer(ahead: 200)
            try await stand.pool.transaction { try await stand.insert(5, in: $0) }
            await #expect(throws: StoreError.notSettled) { try await AuditSeals(pool: stand.pool).seal() }
            await #expect(throws: StoreError.notSettled) { try await stand.verified() }
            try await stand.pool.transaction { early in
                // It has its number before, and writes its records after.
                _ = try await early.query("SELECT pg_current_xact_id()")
                try await AuditSeals(pool: stand.pool).settle()
                try await stand.insert(5, in: early)
            }
            let head = try await stand.verified().head
            try await AuditSeals(pool: stand.pool).settle()
            #expect(try await stand.verified().head == head)
            // Until it has come by the numbers of before.
            for _ in 0..<400 { _ = try await stand.pool.query("SELECT pg_current_xact_id()") }
            try await stand.record(batches: 2, of: 20)
            let chain = try await stand.verified(knownHead: before)
            #expect(chain.finding == nil)
            #expect(chain.hasKnownHead == true)
            #expect(chain.unsealed == 0)
            #expect(try await chain.records == stand.count("SELECT count(*) FROM audit"))
            // What was sealed elsewhere is still guarded.
            try await stand.tamper([
                """
                INSERT INTO audit (id, at, action, workspace_id, details, xact) OVERRIDING SYSTEM VALUE
                SELECT 0, at, 'test.early', workspace_id, details, '2000000000' FROM audit ORDER BY id LIMIT 1
                """
            ])
            #expect(try await stand.verified().finding?.change == .inserted)
        }
    }

    /// 1,000 times: alter, remove, slip in or exchange records, or touch a block; look; and put everything back.
    @Test("a thousand changes by the database's superuser are all found, and named")
    func tampering() async throws {
        var (random, seed) = SplitMix.announced(for: "audit chain")
        try await Stand.with { stand in
            try await stand.record(batches: 6, of: 30)
            try await stand.keepCopies()
            let ids =
                try await stand.count(
                    "SELECT min(id)::int FROM audit")...stand.count("SELECT max(id)::int FROM audit")
            for round in 0..<1_000 {
                let change = Tampering.allCases[round % Tampering.allCases.count]
                let record = Int.random(in: ids, using: &random)
                let other =
                    record == ids.lowerBound
                    ? record + 1 : Int.random(in: ids.lowerBound..<record, using: &random)
                let named = try await stand.tamper(
                    change, at: record, and: other, seals: Bool.random(using: &random))
                let place = Comment("seed \(seed), round \(round): \(change) of \(record)")
                let finding = try #require(try await stand.verified().finding, place)
                if let named { #expect(finding.recordID == named, place) }
                #expect(change.findings.contains(finding.change), place)
                try await stand.restoreCopies()
            }
            #expect(try await stand.verified().finding == nil)
        }
    }
}

/// What is done to the audit behind its back.
private enum Tampering: CaseIterable {
    case action, time, tenant, actor, run, details, workspace
    case removal
    case twin, backdated, behindTheHorizon
    case exchange
    case blockIDs, blockDigests, blockHash, blockTime, blockRemoval, blockExchange

    /// What is done to the record `$1`, or to the block that has it.
    var statement: Postgres.Statement {
        switch self {
        case .action: "UPDATE audit SET action = action || 'x' WHERE id = $1::bigint"
        case .time: "UPDATE audit SET at = at + interval '1 microsecond' WHERE id = $1::bigint"
        case .tenant:
            "UPDATE audit SET tenant_id = CASE WHEN tenant_id IS NULL THEN gen_random_uuid() END WHERE id = $1::bigint"
        case .actor: "UPDATE audit SET actor_id = gen_random_uuid() WHERE id = $1::bigint"
        case .run: "UPDATE audit SET run_id = gen_random_uuid() WHERE id = $1::bigint"
        case .details: "UPDATE audit SET details = (details::text || ' ')::json WHERE id = $1::bigint"
        case .workspace: "UPDATE audit SET workspace_id = gen_random_uuid() WHERE id = $1::bigint"
        case .removal: "DELETE FROM audit WHERE id = $1::bigint"
        case .twin:
            """
            INSERT INTO audit (id, at, action, workspace_id, details, xact) OVERRIDING SYSTEM VALUE
            SELECT id, at - interval '1 day', 'test.twin', workspace_id, details, xact FROM audit WHERE id = $1::bigint
            """
        case .backdated:
            """
            INSERT INTO audit (at, action, workspace_id, details)
            SELECT at - interval '1 hour', 'test.backdated', workspace_id, details FROM audit WHERE id = $1::bigint
            """
        case .behindTheHorizon:
            """
            INSERT INTO audit (at, action, workspace_id, details, xact)
            SELECT at, 'test.behind', workspace_id, details, xact FROM audit WHERE id = $1::bigint
            """
        case .exchange:
            """
            UPDATE audit a SET at = b.at, action = b.action, tenant_id = b.tenant_id, actor_id = b.actor_id,
                               details = b.details
            FROM audit b
            WHERE (a.id = $1::bigint AND b.id = $2::bigint) OR (a.id = $2::bigint AND b.id = $1::bigint)
            """
        case .blockIDs: "UPDATE audit_blocks SET ids[1] = ids[1] + 100000 WHERE $1::bigint = ANY (ids)"
        case .blockDigests:
            "UPDATE audit_blocks SET digests = set_byte(digests, 40, get_byte(digests, 40) # 1) WHERE $1::bigint = ANY (ids)"
        case .blockHash:
            "UPDATE audit_blocks SET hash = set_byte(hash, 7, get_byte(hash, 7) # 1) WHERE $1::bigint = ANY (ids)"
        case .blockTime:
            "UPDATE audit_blocks SET begun_after = begun_after - interval '1 day' WHERE $1::bigint = ANY (ids)"
        case .blockRemoval: "DELETE FROM audit_blocks WHERE $1::bigint = ANY (ids)"
        case .blockExchange:
            """
            UPDATE audit_blocks a SET ids = b.ids, digests = b.digests, begun_after = b.begun_after
            FROM audit_blocks b
            WHERE ($1::bigint = ANY (a.ids) AND b.number = (a.number % 6) + 1)
               OR ($1::bigint = ANY (b.ids) AND a.number = (b.number % 6) + 1)
            """
        }
    }

    /// What it may be called.
    var findings: Set<AuditVerification.Change> {
        switch self {
        case .action, .time, .tenant, .actor, .run, .details, .workspace, .exchange: [.altered]
        case .removal: [.removed]
        case .twin, .backdated, .behindTheHorizon: [.inserted]
        case .blockIDs: [.removed, .inserted, .altered, .blockAltered]
        case .blockDigests: [.altered, .blockAltered]
        case .blockHash, .blockTime: [.blockAltered]
        // Its records are in no block any more.
        case .blockRemoval: [.blockRemoved, .inserted]
        case .blockExchange: [.blockAltered]
        }
    }
}

extension Stand {
    fileprivate func record(batches: Int, of count: Int, in workspace: WorkspaceID? = nil) async throws {
        for _ in 0..<batches {
            try await pool.transaction { try await insert(count, of: workspace, in: $0) }
            try await seal()
        }
    }

    fileprivate func insert(
        _ count: Int, of workspace: WorkspaceID? = nil, in transaction: Transaction
    ) async throws {
        _ = try await transaction.query(
            """
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
            SELECT 'test.' || n, $1::uuid, CASE WHEN n % 2 = 0 AND $2::uuid IS NOT NULL THEN $2::uuid END,
                   CASE WHEN n % 3 = 0 THEN $3::uuid END, json_build_object('n', n, 'say', 'Grüße 🔒')
            FROM generate_series(1, $4::int) n
            """,
            [
                .uuid((workspace ?? world.workspace).uuid),
                workspace == nil ? .uuid(world.tenants[0].uuid) : .null,
                .uuid(world.owner.uuid), .int(count),
            ])
    }

    /// As though all there is had been written on a server that has made so many transactions more than this one.
    fileprivate func comeFromAnotherServer(ahead count: Int) async throws {
        try await tamper(
            "UPDATE audit SET xact = (xact::text::bigint + $1::bigint)::text::xid8", [.int(count)])
        try await tamper(
            """
            UPDATE audit_horizon SET server = server + 1,
                sealed_before = (sealed_before::text::bigint + $1::bigint)::text::xid8,
                mark_xact = (mark_xact::text::bigint + $1::bigint)::text::xid8
            """, [.int(count)])
    }

    /// Seals everything. Transactions in other databases of the server hold the horizon, too: it is waited for.
    func seal() async throws {
        _ = try await eventually("all is sealed") {
            _ = try await AuditSeals(pool: pool).seal()
            let listed = try await count("SELECT coalesce(sum(cardinality(ids)), 0)::int FROM audit_blocks")
            return try await listed >= count("SELECT count(*) FROM audit") ? true : nil
        }
    }

    /// Transactions with several records each, of which one in five is rolled back, until some blocks are there.
    fileprivate func write(_ writer: Int) async throws {
        struct RolledBack: Error {}
        for time in 0..<5_000 {
            if time > 30, try await count("SELECT count(*) FROM audit_blocks") > 3 { break }
            do {
                try await pool.transaction { transaction in
                    for _ in 0..<3 {
                        _ = try await transaction.query(
                            "INSERT INTO audit (action, workspace_id, details) VALUES ('test.write', $1::uuid, '{}')",
                            [.uuid(world.workspace.uuid)])
                        await Task.yield()
                    }
                    if (writer + time) % 5 == 0 { throw RolledBack() }
                }
            } catch is RolledBack {}
        }
        try await seal()
    }

    fileprivate func verified(knownHead: [UInt8]? = nil) async throws -> AuditVerification.Chain {
        try await AuditVerification(pool: pool).verify(world.workspace, knownHead: knownHead) { _, _ in }[0]
    }

    // MARK: behind the audit's back

    fileprivate func tamper(_ statements: [Postgres.Statement]) async throws {
        for statement in statements { try await tamper(statement, []) }
    }

    fileprivate func keepCopies() async throws {
        _ = try await pool.query("CREATE TABLE audit_copy AS SELECT * FROM audit")
        _ = try await pool.query("CREATE TABLE blocks_copy AS SELECT * FROM audit_blocks")
    }

    fileprivate func restoreCopies() async throws {
        try await tamper([
            "DELETE FROM audit", "DELETE FROM audit_blocks",
            """
            INSERT INTO audit (id, at, action, workspace_id, tenant_id, actor_id, run_id, details, xact)
            OVERRIDING SYSTEM VALUE
            SELECT id, at, action, workspace_id, tenant_id, actor_id, run_id, details, xact FROM audit_copy
            """,
            "INSERT INTO audit_blocks SELECT * FROM blocks_copy",
        ])
    }

    /// Does something to the record, or to its block. Returns which record has to be named, where that is known.
    fileprivate func tamper(_ change: Tampering, at record: Int, and other: Int, seals: Bool) async throws
        -> Int?
    {
        let one = Parameter.int(record)
        switch change {
        case .exchange:
            try await tamper(change.statement, [one, .int(other)])
            return min(record, other)
        case .twin:
            try await tamper(change.statement, [one])
            return record
        case .backdated, .behindTheHorizon:
            try await tamper(change.statement, [one])
            // Also when it was sealed since, like any other record.
            if seals { _ = try await AuditSeals(pool: pool).seal() }
            return try await count("SELECT max(id)::int FROM audit")
        case .action, .time, .tenant, .actor, .run, .details, .workspace, .removal:
            try await tamper(change.statement, [one])
            return record
        case .blockIDs, .blockDigests, .blockHash, .blockTime, .blockRemoval, .blockExchange:
            try await tamper(change.statement, [one])
            return nil
        }
    }

    /// With the triggers off, as only a superuser can.
    private func tamper(_ statement: Postgres.Statement, _ parameters: [Parameter]) async throws {
        try await pool.transaction { transaction in
            _ = try await transaction.query("SET LOCAL session_replication_role = replica")
            _ = try await transaction.query(statement, parameters)
        }
    }
}
