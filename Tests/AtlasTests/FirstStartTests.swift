import Fixtures
import Foundation
import JSON
import Postgres
import Sealing
import Testing
import WebFixtures

/// From an empty database to the first person who may do something, with nothing but the program.
@Suite struct FirstStartTests {
    private func with(_ body: (AtlasProcess, TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await body(AtlasProcess(environment: ["DATABASE_URL": database.url]), database)
        }
    }

    private func audited(_ database: TestDatabase) async throws -> [String: Int] {
        let rows = try await database.pool.query("SELECT action, count(*) AS n FROM audit GROUP BY action")
        return try Dictionary(uniqueKeysWithValues: rows.map { (try $0.text("action"), try $0.int("n")) })
    }

    @Test func anOwnerIsMadeAndWorks() async throws {
        try await with { atlas, database in
            let workspace = try await atlas.run("workspaces", "create", "Northwind", "--json")
            #expect(try workspace.json["created"] == true, "\(workspace.errors)")
            let owner = try await atlas.run("users", "create", "Nadia Brandt", "--role", "owner", "--json")
            #expect(try owner.json["granted"] == true, "\(owner.errors)")
            #expect(try owner.json["workspace_id"] == workspace.json["workspace_id"])
            let tenants = try await atlas.run("tenants", "create", "Woodgrove Bank", "contoso", "--json")
            #expect(try tenants.json["tenants"]?.array?.map { $0["created"] } == [true, true])
            let token = try await atlas.run("tokens", "issue", "--user", "Nadia Brandt", "--json")
            try await RunningAPI.serve(database, SealingPrivateKey().publicKey) { url in
                let nadia = AtlasProcess(environment: [
                    "STARTER_URL": url, "ATLAS_TOKEN": try token.json["token"]?.string ?? "",
                ])
                let seen = try await nadia.run("tenants", "list", "--json")
                #expect(
                    try seen.json["tenants"]?.array?.map { $0["name"] } == ["contoso", "Woodgrove Bank"],
                    "by name, as people look for them \(seen.errors)")
                let lines = try await nadia.run("tenants", "list").output
                #expect(lines.contains("contoso") && lines.contains("operable") && lines.contains("closed"))
                let people = try await nadia.run("users", "list")
                #expect(people.output.contains("owner everywhere"), "\(people.output)\(people.errors)")
                let made = try await nadia.run(
                    "connections", "create", "--tenant", "Woodgrove Bank", "--entra-tenant-id",
                    UUID().uuidString, "--client-id", UUID().uuidString)
                #expect(made.status == 0, "\(made.errors)")
            }
        }
    }

    @Test func doingItAgainDoesNoHarm() async throws {
        try await with { atlas, database in
            for isFirst in [true, false] {
                let workspace = try await atlas.run(
                    "workspaces", "create", isFirst ? "Northwind" : "northwind", "--json")
                let user = try await atlas.run("users", "create", "ticket-system", "--system", "--json")
                let tenants = try await atlas.run("tenants", "create", "Contoso", "--json")
                for made in [workspace, user] { #expect(try made.json["created"] == .bool(isFirst)) }
                #expect(try tenants.json["tenants"]?[0]?["created"] == .bool(isFirst))
            }
            // What was missing is made beside what is there, and a role that is missing is given.
            let tenants = try await atlas.run("tenants", "create", "contoso", "Fabrikam", "--json")
            #expect(try tenants.json["tenants"]?.array?.map { $0["created"] } == [false, true])
            #expect(try tenants.json["tenants"]?[0]?["name"] == "Contoso")
            let grants = ["operator", "owner"].map { role in
                ["users", "create", "ticket-system", "--system", "--role", role, "--json"]
            }
            #expect(try await atlas.run(grants[0]).json["granted"] == true)
            #expect(try await atlas.run(grants[1]).json["granted"] == false)
            let audited = try await audited(database)
            #expect(audited["workspace.created"] == 1 && audited["user.created"] == 1)
            #expect(audited["tenant.created"] == 2 && audited["access.granted"] == 1)
        }
    }

    @Test func theWorkspaceIsSaidWhereItIsNotClear() async throws {
        try await with { atlas, _ in
            let none = try await atlas.run("tenants", "create", "Contoso")
            #expect(none.status == 1 && none.errors.contains("atlas workspaces create"), "\(none.errors)")
            for name in ["Northwind", "Fourth Coffee"] {
                #expect(try await atlas.run("workspaces", "create", name).status == 0)
            }
            let unclear = try await atlas.run("users", "create", "Nadia Brandt")
            #expect(unclear.status == 1 && unclear.errors.contains("--workspace"), "\(unclear.errors)")
            let unknown = try await atlas.run("users", "create", "Nadia Brandt", "--workspace", "Southwind")
            #expect(unknown.status == 1 && unknown.errors.contains("Fourth Coffee"), "\(unknown.errors)")
            // The same name in two workspaces is two people.
            for name in ["Northwind", "fourth coffee"] {
                let made = try await atlas.run(
                    "users", "create", "Nadia Brandt", "--workspace", name, "--json")
                #expect(try made.json["created"] == true, "\(made.errors)")
            }
        }
    }
}
