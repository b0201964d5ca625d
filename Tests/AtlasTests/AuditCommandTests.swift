import Waiting
import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Atlas

/// The audit, by the real API and in the real database.
@Suite struct AuditCommandTests {
    @Test func recordsAreListedAndExported() async throws {
        try await RunningStarter.with { starter in
            let owner = starter.atlas(as: "Nadia Brandt")
            let started = try await owner.run(
                "start", "provider.connection.check", "--tenant", "Contoso", "--json")
            let run = try #require(try started.json["run_id"]?.string)
            let list = try await owner.run("audit", "list", "--run", run)
            #expect(list.status == 0, "\(list.errors)")
            #expect(list.output.contains("run.queued"))
            #expect(list.output.contains("Nadia Brandt"))
            #expect(list.output.contains("Contoso"))
            let export = try await owner.run("audit", "export", "--since", "1h")
            #expect(export.status == 0, "\(export.errors)")
            let lines = try export.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
            #expect(lines.contains { $0["run_id"]?.string == run && $0["action"]?.string == "run.queued" })
            let all = try await starter.database.pool.query("SELECT count(*) FROM audit")[0].int(0)
            #expect(lines.count == all)
            let refused = try await starter.atlas(as: "Omar Reyes").run("audit", "list")
            #expect(refused.status == 1)
            #expect(refused.errors.contains("audit.view"))
            #expect(try await owner.run("audit", "list", "--action", "tea.made").status == 2)
        }
    }

    @Test func theChainIsVerifiedAndAChangeIsNamed() async throws {
        try await RunningStarter.with { starter in
            let owner = AtlasProcess(environment: ["DATABASE_URL": starter.database.url])
            let pool = starter.database.pool
            _ = try await eventually("the audit is sealed") {
                _ = try await AuditSeals(pool: pool).seal()
                let seen = try await owner.run("audit", "verify", "--json")
                #expect(seen.status == 0, "\(seen.output) \(seen.errors)")
                let chain = try seen.json["workspaces"]?[0]
                return chain?["unsealed"]?.integer == 0 && chain?["records"]?.integer ?? 0 > 0 ? true : nil
            }
            let whole = try await owner.run("audit", "verify")
            #expect(whole.output.contains("as it was recorded"))
            let chain = try #require(try await owner.run("audit", "verify", "--json").json["workspaces"]?[0])
            let head = try #require(chain["head"]?.string)
            let workspace = try #require(chain["workspace_id"]?.string)
            let known = try await owner.run("audit", "verify", "--workspace", workspace, "--head", head)
            #expect(known.status == 0, "\(known.output)")
            let unknown = try await owner.run(
                "audit", "verify", "--workspace", workspace, "--head", String(repeating: "0", count: 64))
            #expect(unknown.status == 1)
            #expect(unknown.output.contains("is not in the chain"))
            #expect(try await owner.run("audit", "verify", "--head", head).status == 2)

            try await pool.transaction { transaction in
                _ = try await transaction.query("SET LOCAL session_replication_role = replica")
                _ = try await transaction.query(
                    "UPDATE audit SET action = 'run.ended' WHERE id = (SELECT min(id) FROM audit)"
                )
            }
            let altered = try await owner.run("audit", "verify")
            #expect(altered.status == 1)
            #expect(altered.output.contains("not as it was recorded"))
            #expect(altered.output.contains("was altered"))
            let finding = try await owner.run("audit", "verify", "--json").json["workspaces"]?[0]?["finding"]
            #expect(finding?["change"]?.string == "altered")
            #expect(finding?["record_id"]?.integer ?? 0 > 0)
        }
    }
}
