import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Testing

@testable import Atlas

/// Who may do what, against the real API.
@Suite struct AccessCommandTests {
    private static let omar = DemoWorld.users[2].id
    private static let contoso = DemoWorld.tenants(large: false)[0]

    @Test func aRevokeTellsWhenItTookHold() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Marcus Lindqvist")
            let revoked = try await atlas.run("access", "revoke", "--user", "omar reyes", "--workspace")
            #expect(revoked.status == 0, "\(revoked.errors)")
            #expect(
                revoked.output.hasPrefix(
                    "Omar Reyes's access to the whole workspace is revoked.\neffective  "))
            #expect(revoked.output.contains("\nsettled    just now ("))
            let after = try await starter.atlas(as: "Omar Reyes")
                .run("start", "compliance.snapshot", "--tenant", "\(Self.contoso.id)")
            #expect(after.status == 1)
            let twice = try await atlas.run("access", "revoke", "--user", "Omar Reyes", "--workspace")
            #expect(twice.status == 1)

            let granted = try await atlas.run(
                "access", "grant", "--user", "Omar Reyes", "--tenant", "Contoso", "--role", "operator")
            #expect(granted.output == "Omar Reyes is now operator on Contoso.\n", "\(granted.errors)")
            let already = try await atlas.run(
                "access", "grant", "--user", "Omar Reyes", "--tenant", "Contoso", "--role", "owner")
            #expect(already.status == 1)
            let lowered = try await atlas.run(
                "access", "role", "--user", "\(Self.omar)", "--tenant", "Contoso", "--role", "readonly",
                "--json")
            #expect(lowered.status == 0)
            #expect(try lowered.json["settled_at"]?.string != nil)
        }
    }

    @Test func whatWouldBeStoppedIsToldBefore() async throws {
        try await RunningStarter.with { starter in
            let omar = starter.atlas(as: "Omar Reyes")
            let started = try await omar.run("start", "compliance.snapshot", "--tenant", "Contoso", "--json")
            let run = try #require(try started.json["run_id"]?.string)
            _ = try await omar.run(
                "schedules", "add", "compliance.snapshot", "--tenant", "Fabrikam", "--cron", "@daily")
            let atlas = starter.atlas(as: "Nadia Brandt")
            let revoke = ["access", "revoke", "--user", "Omar Reyes", "--workspace", "--what-if"]
            let told = try await atlas.run(revoke)
            #expect(told.status == 0, "\(told.errors)")
            #expect(told.output.hasPrefix("It would stop 1 run and 1 schedule. Nothing was changed.\n"))
            #expect(told.output.contains(run))
            #expect(told.output.contains("ends"))
            #expect(told.output.contains(Presentation.sentence(.denial(.tenantNotEntitled))))
            let json = try await atlas.run(revoke + ["--json"]).json
            #expect(json["run_count"]?.integer == 1 && json["schedule_count"]?.integer == 1)
            #expect(json["runs"]?[0]?["reason"]?["code"]?.string == "tenant_not_entitled")
            let nothing = try await atlas.run(
                "access", "suspend", "--tenant", "Woodgrove Bank", "--what-if")
            #expect(nothing.output.hasPrefix("It would stop nothing"))
            #expect(try await omar.run("runs", "show", run).status == 0, "nothing was changed")
        }
    }

    /// A role on a tenant stands before the one on the workspace, and may take away.
    @Test func aRoleInPlaceOfAnotherTellsWhenItTookHold() async throws {
        try await RunningStarter.with { starter in
            let granted = try await starter.atlas(as: "Marcus Lindqvist")
                .run("access", "grant", "--user", "Omar Reyes", "--tenant", "Contoso", "--role", "readonly")
            #expect(granted.status == 0, "\(granted.errors)")
            #expect(granted.output.hasPrefix("Omar Reyes is now readonly on Contoso.\neffective  "))
        }
    }

    /// A call whose holder was killed: nobody can tell whether it still travels.
    @Test func aCallInDoubtIsListedAndIsNoSuccess() async throws {
        try await RunningStarter.with { starter in
            let started = try await starter.atlas(as: "Omar Reyes")
                .run("start", "compliance.snapshot", "--tenant", "Contoso", "--json")
            let run = try #require(try started.json["run_id"]?.string)
            _ = try await starter.database.pool.query(
                """
                INSERT INTO call_permits (id, run_id, attempt, worker_id, workspace_id, tenant_id, connection_id,
                                          user_id, grant_id, call, opened_at, deadline)
                SELECT gen_random_uuid(), r.id, 1, gen_random_uuid(), r.workspace_id, r.tenant_id, r.connection_id,
                       r.initiator_id, m.id, 'GET /devices', now() - interval '1 minute', now() - interval '1 second'
                FROM runs r JOIN memberships m ON m.user_id = r.initiator_id WHERE r.id = $1::uuid
                """, [.uuid(try #require(RunID(run)).uuid)])
            let atlas = starter.atlas(as: "Nadia Brandt")
            let frozen = try await atlas.run("access", "freeze", "--tenant", "Contoso", "--json")
            #expect(frozen.status == 1)
            #expect(try frozen.json["settled_at"] == .null)
            let disabled = try await atlas.run("access", "disable-user", "--user", "\(Self.omar)")
            #expect(disabled.status == 1)
            #expect(disabled.output.contains("1 call is in doubt"))
            #expect(disabled.output.contains("GET /devices"))
            #expect(disabled.output.contains(run))
            #expect(disabled.errors.isEmpty)
        }
    }

    @Test func placesAreSwitchedOffAndOn() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Nadia Brandt")
            let connection = "\(Self.contoso.connectionID)"
            let changes: [([String], String)] = [
                (["access", "suspend", "--tenant", "Contoso"], "Contoso is suspended.\neffective"),
                (["access", "resume", "--tenant", "Contoso"], "Contoso is operable.\n"),
                (
                    ["access", "write-gate", "open", "--tenant", "Contoso"],
                    "Changes to Contoso are switched on."
                ),
                (
                    ["access", "write-gate", "close", "--tenant", "Contoso"],
                    "Changes to Contoso are switched off."
                ),
                (["access", "freeze", "--tenant", "Contoso"], "Frozen: Contoso.\neffective"),
                (["access", "unfreeze", "--tenant", "Contoso"], "No longer frozen: Contoso.\n"),
                (["access", "freeze", "--workspace"], "Frozen: the workspace.\neffective"),
                (["access", "unfreeze", "--workspace"], "No longer frozen: the workspace.\n"),
                (["access", "freeze", "--connection", connection], "Frozen: the connection.\neffective"),
                (["access", "unfreeze", "--connection", connection], "No longer frozen: the connection.\n"),
                (["connections", "disable", connection], "The connection is disabled.\neffective"),
                (["connections", "enable", connection], "The connection is enabled."),
                (
                    ["access", "disable-user", "--user", "\(Self.omar)"],
                    "\(Self.omar) is disabled.\neffective"
                ),
                (["access", "enable-user", "--user", "\(Self.omar)"], "\(Self.omar) is enabled.\n"),
            ]
            for (arguments, text) in changes {
                let finished = try await atlas.run(arguments)
                #expect(finished.status == 0, "\(arguments): \(finished.errors)")
                #expect(finished.output.hasPrefix(text), "\(arguments): \(finished.output)")
            }
            let lifted = try await atlas.run("access", "unfreeze", "--tenant", "Contoso", "--json")
            #expect(try lifted.json == ["done": true])
        }
    }

    @Test func whoeverMayNotIsTold() async throws {
        try await RunningStarter.with { starter in
            let refused = try await starter.atlas(as: "Priya Nair").run(
                "access", "freeze", "--tenant", "Contoso")
            #expect(refused.status == 1)
            #expect(refused.errors.contains("access.manage"))
        }
    }

    @Test func connectionsShowTheirHealth() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Clara Dubois")
            let all = try await atlas.run("connections", "list")
            #expect(all.output.split(separator: "\n").count == 7)
            #expect(all.output.contains("Contoso Intune"))
            _ = try await starter.database.pool.query(
                """
                UPDATE provider_connections SET enabled = false, health = 'unhealthy',
                       health_reason = 'credential_expired',
                       health_checked_at = clock_timestamp() - interval '2 hours 10 minutes'
                WHERE id = $1::uuid
                """, [.uuid(Self.contoso.connectionID.uuid)])
            let one = try await atlas.run("connections", "list", "--tenant", "Contoso")
            let line = try #require(one.output.split(separator: "\n").last)
            #expect(line.contains("◆ unhealthy  2 hours ago  ⊖ disabled"))
            #expect(line.hasSuffix("The connection's credential has expired."))
            let machine = try await atlas.run("connections", "list", "--tenant", "Contoso", "--json")
            #expect(try machine.json["provider_connections"]?[0]?["enabled"] == false)
        }
    }
}
