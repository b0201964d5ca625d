import JSON
import Testing

@testable import GraphSandbox

@Suite struct ControlServerTests {
    private static let newID = "eeeeeeee-0000-4000-8000-000000000001"
    private static let newTenant: JSON = [
        "id": .string(newID), "displayName": "New", "domain": "new.example", "devices": 77,
        "app": ["clientId": .string(newID), "clientSecret": "a-new-secret"],
    ]

    @Test func doesNotExistUnlessItIsSwitchedOn() async throws {
        try await RunningSandbox.run(Sandbox.Options()) { server in
            for path in ["tenants", "faults", "journal", "roles"] {
                let reply = try await server.control("GET", path)
                #expect(reply.status == 404)
                #expect(reply.errorCode == "ResourceNotFound", "it looks like any other unknown path")
            }
            #expect(server.sandbox.journal == nil)
            #expect(try await server.requestToken().status == 200)
        }
    }

    @Test func needsItsToken() async throws {
        try await RunningSandbox.run { server in
            #expect(try await server.send("GET", "/_sandbox/tenants").status == 401)
            let graph = try await server.token()
            #expect(try await server.get("/_sandbox/tenants", graph).status == 401)
            let almost = String(RunningSandbox.controlToken.dropLast()) + "x"
            #expect(try await server.get("/_sandbox/tenants", almost).status == 401)
            #expect(try await server.control("GET", "tenants").status == 200)
        }
    }

    @Test func addsChangesAndRemovesTenants() async throws {
        try await RunningSandbox.run { server in
            let added = try await server.control("POST", "tenants", Self.newTenant)
            #expect(added.status == 201)
            #expect(try added.json["devices"] == 77)
            #expect(!String(decoding: added.body, as: UTF8.self).contains("a-new-secret"))
            #expect(try await server.control("POST", "tenants", Self.newTenant).status == 409)
            let form = RunningSandbox.form(["client_id": Self.newID, "client_secret": "a-new-secret"])
            let reply = try await server.requestToken("new.example", form)
            let token = try #require(try reply.json["access_token"]?.string)
            let devices = try await server.pages("/v1.0/deviceManagement/managedDevices?$select=id", token)
            #expect(devices.flatMap(\.self).count == 77)
            let change: JSON = ["devices": 500, "intune": true, "app": ["clientSecret": "rotated-secret"]]
            let changed = try await server.control("PUT", "tenants/\(Self.newID)", change)
            #expect(try changed.json["devices"] == 500)
            #expect(try changed.json["displayName"] == "New")
            #expect(try await server.requestToken("new.example", form).status == 401)
            #expect(try await server.get("/v1.0/organization", token).status == 200)
            #expect(try await server.control("DELETE", "tenants/\(Self.newID)").status == 204)
            #expect(try await server.get("/v1.0/organization", token).status == 401)
            #expect(try await server.control("GET", "tenants/\(Self.newID)").status == 404)
            #expect(try await server.control("PUT", "tenants/\(Self.newID)", change).status == 404)
            #expect(try await server.control("DELETE", "tenants/\(Self.newID)").status == 404)
        }
    }

    @Test func aRefusedChangeChangesNothing() async throws {
        try await RunningSandbox.run { server in
            let path = "tenants/\(RunningSandbox.contoso)"
            let refused = try await server.control("PUT", path, ["displayName": "x", "devices": 100_001])
            #expect(refused.status == 400)
            #expect(try refused.json["error"]?.string?.contains("'devices'") == true)
            #expect(try await server.control("GET", path).json["displayName"] == "Contoso GmbH")
        }
    }

    static let badTenants: [JSON] = [
        [:], ["id": "x"], ["id": .string(newID)], ["id": .string(newID), "app": ["clientId": "x"]],
        ["id": .string(newID), "app": ["clientId": .string(newID), "clientSecret": ""]],
        ["id": .string(newID), "app": ["clientId": .string(newID), "clientSecret": "s", "roles": ["Nope"]]],
        ["id": .string(newID), "app": ["clientId": .string(newID), "clientSecret": "s"], "devices": -1],
        ["id": .string(newID), "app": ["clientId": .string(newID), "clientSecret": "s"], "devcies": 1],
        "text",
    ]

    @Test func refusesBodiesThatMakeNoSense() async throws {
        try await RunningSandbox.run { (server) async throws in
            for body in Self.badTenants {
                #expect(try await server.control("POST", "tenants", body).status == 400, "\(body.text)")
            }
            #expect(try await server.control("POST", "faults", ["kind": "nope"]).status == 400)
            #expect(try await server.control("GET", "journal?since=x").status == 400)
            #expect(try await server.control("GET", "journal?limit=100001").status == 400)
            #expect(try await server.control("GET", "nothing").status == 404)
            #expect(try await server.control("PATCH", "faults").status == 405)
            #expect(try await server.control("DELETE", "faults/12345").status == 404)
        }
    }

    @Test func tenantsWithOneDeviceSeedHaveTheSameIds() async throws {
        try await RunningSandbox.run { server in
            var tenant = try #require(Self.newTenant.object)
            tenant["deviceSeed"] = .string(RunningSandbox.contoso)
            _ = try await server.control("POST", "tenants", .object(tenant))
            let form = RunningSandbox.form(["client_id": Self.newID, "client_secret": "a-new-secret"])
            let reply = try await server.requestToken(Self.newID, form)
            let twin = try #require(try reply.json["access_token"]?.string)
            let path = "/v1.0/deviceManagement/managedDevices?$select=id&$top=5"
            let original = try await server.token()
            #expect(
                try await server.get(path, twin).json["value"] == server.get(path, original).json["value"])
        }
    }

    @Test func theJournalTellsWhatWasOnTheWire() async throws {
        try await RunningSandbox.run { server in
            let before = SandboxClock.monotonicNanoseconds()
            let token = try await server.token()
            _ = try await server.get(
                "/v1.0/organization?$select=id", token, headers: ["client-request-id": "c-1"])
            _ = try await server.get("/v1.0/organization", "nonsense")
            let after = SandboxClock.monotonicNanoseconds()
            let body = try await server.control("GET", "journal").json
            let entries = try #require(body["entries"]?.array)
            #expect(entries.map { $0["seq"]?.integer } == [1, 2, 3])
            #expect(entries.map { $0["status"]?.integer } == [200, 200, 401])
            #expect(
                entries.map { $0["path"]?.string } == [
                    "/\(RunningSandbox.contoso)/oauth2/v2.0/token", "/v1.0/organization",
                    "/v1.0/organization",
                ])
            #expect(
                entries.map { $0["tenant"]?.string } == [RunningSandbox.contoso, RunningSandbox.contoso, nil])
            #expect(entries[1]["clientRequestId"] == "c-1")
            #expect(entries[1]["method"] == "GET")
            for entry in entries {
                let received = try #require(entry["receivedNs"]?.integer)
                let answered = try #require(entry["answeredNs"]?.integer)
                #expect(before < received && received <= answered && answered < after)
            }
            let rest = try await server.control("GET", "journal?since=2&limit=5").json
            #expect(rest["entries"]?.array?.count == 1)
            #expect(rest["next"] == 3 && rest["last"] == 3)
            #expect(try await server.control("DELETE", "journal").status == 204)
            #expect(try await server.control("GET", "journal").json["entries"] == [])
        }
    }

    @Test func faultsAreListedWithTheirHits() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            let id = try await server.arm([
                "kind": "throttle", "count": 2, "tenant": .string(RunningSandbox.contoso),
            ])
            _ = try await server.get("/v1.0/organization", token)
            let fault = try await server.control("GET", "faults/\(id)").json
            #expect(fault["hits"] == 1 && fault["remaining"] == 1 && fault["active"] == true)
            _ = try await server.get("/v1.0/organization", token)
            #expect(try await server.control("GET", "faults").json["faults"]?[0]?["active"] == false)
            #expect(try await server.control("DELETE", "faults").status == 204)
            #expect(try await server.control("GET", "faults").json["faults"] == [])
            let journal = try await server.control("GET", "journal?path=/v1.0").json["entries"]?.array
            #expect(journal?.map { $0["fault"] } == ["throttle", "throttle"])
        }
    }

    @Test func churnIsDoneAtOnce() async throws {
        try await RunningSandbox.run { server in
            let path = "tenants/\(RunningSandbox.fabrikam)/churn"
            let reply = try await server.control("POST", path, ["insert": 10, "delete": 30])
            #expect(try reply.json["devices"] == 1_230)
            let token = try await server.token(RunningSandbox.fabrikam)
            let devices = try await server.pages("/v1.0/deviceManagement/managedDevices?$select=id", token)
            #expect(Set(devices.flatMap(\.self)).count == 1_230)
        }
    }

    @Test func knowsThePermissions() async throws {
        try await RunningSandbox.run { server in
            let roles = try #require(try await server.control("GET", "roles").json["roles"]?.array)
            #expect(roles.count == AppRole.all.count)
        }
    }
}
