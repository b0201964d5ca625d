import Fixtures
import Foundation
import Operations
import Postgres
import Store
import Testing

/// Which commits wait for the disk, as the database itself sees it while a run's row changes.
@Suite("Run durability", .serialized)
struct RunDurabilityTests {
    @Test("only a batch that begins every run does not wait for the disk; what is told to others does")
    func waitsForTheDisk() async throws {
        try await Stand.with(tenants: 3) { stand in
            try await stand.noteCommits()
            let worker = try await stand.worker()
            let runs = stand.runs(of: worker)
            let first = try await stand.start(tenant: 0)
            let executing = try await stand.begin(first, by: worker)
            #expect(try await stand.commits() == ["running: off"])

            let permits = stand.permits(of: worker)
            let call = try await permits.open(
                under: executing.permit, call: "GET /organization", timeLimit: .seconds(5))
            try await permits.close(call.id, status: 200)
            _ = try await runs.finish(executing.run, .completed(SummaryCounts()))
            #expect(try await stand.commits() == ["permit: on", "completed: on"])

            let (allowed, denied) = (try await stand.start(tenant: 1), try await stand.start(tenant: 2))
            _ = try await stand.apply(.setConnectionEnabled(stand.world.connections[2], false))
            let words = try await runs.begin([allowed.job, denied.job]).map { try $0.get().word }
            #expect(words == ["execute", "blocked: connection_disabled"])
            #expect(try await stand.commits().sorted() == ["completed: on", "running: on"])
        }
    }
}

extension Stand {
    /// From now on each change of a run, and each permit, notes how its transaction commits.
    fileprivate func noteCommits() async throws {
        for statement: Postgres.Statement in [
            "CREATE TABLE noted (id bigint GENERATED ALWAYS AS IDENTITY, word text)",
            """
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO noted (word) VALUES (concat(coalesce(to_jsonb(NEW)->>'state', 'permit'), ': ',
                                                        current_setting('synchronous_commit')));
                RETURN NULL;
            END $$
            """,
            "CREATE TRIGGER note AFTER UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION note()",
            "CREATE TRIGGER note AFTER INSERT ON call_permits FOR EACH ROW EXECUTE FUNCTION note()",
        ] {
            _ = try await pool.query(statement)
        }
    }

    /// What was noted since the last call, in order.
    fileprivate func commits() async throws -> [String] {
        let rows = try await pool.query(
            "WITH gone AS (DELETE FROM noted RETURNING id, word) SELECT word FROM gone ORDER BY id")
        return try rows.map { try $0.text(0) }
    }
}
