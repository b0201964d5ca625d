import Foundation
import JSON
import Testing

@testable import GraphSandbox

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Batches, faults on writes, the journal of writes, and the control surface's view, over the wire.
@Suite struct WriteServerTests {
    private static let configurations = "/beta/deviceManagement/deviceConfigurations"
    private static let devices = "/v1.0/deviceManagement/managedDevices"
    private static let entities = "tenants/\(RunningSandbox.contoso)/entities"
    private static let configuration: JSON = [
        "@odata.type": "#microsoft.graph.windows10GeneralConfiguration", "displayName": "new",
    ]

    private static func batch(_ requests: [JSON]) -> JSON { ["requests": .array(requests)] }

    private func journal(_ server: RunningSandbox, _ query: String = "writes=true") async throws -> [JSON] {
        try await server.control("GET", "journal?\(query)").json["entries"]?.array ?? []
    }

    @Test func batchesAnswerEachRequestByItself() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            let device = try await server.values("\(Self.devices)?$top=1", token)[0]
            let reply = try await server.send(
                "POST", "/v1.0/$batch", token,
                Self.batch([
                    ["id": "1", "method": "GET", "url": "/organization?$select=id"],
                    ["id": "2", "method": "GET", "url": "/nope"],
                    [
                        "id": "3", "method": "POST",
                        "url": .string("/deviceManagement/managedDevices/\(device)/syncDevice"),
                    ], ["id": "4", "method": "GET", "url": "/organization", "dependsOn": ["2"]],
                    ["id": "5", "method": "GET", "url": "/organization", "dependsOn": ["1"]],
                    ["id": "6", "method": "POST", "url": "/$batch"],
                ]))
            #expect(reply.status == 200)
            let parts = try #require(try reply.json["responses"]?.array)
            #expect(parts.map { $0["id"]?.string } != ["1", "2", "3", "4", "5", "6"], "in any order")
            let byID = Dictionary(uniqueKeysWithValues: parts.map { ($0["id"]?.string ?? "", $0) })
            #expect(
                (1...6).map { byID["\($0)"]?["status"]?.integer } == [200, 400, 204, 424, 200, 400])
            #expect(byID["1"]?["body"]?["value"]?[0]?["id"]?.string == RunningSandbox.contoso)
            #expect(byID["3"]?["body"] == nil)
            let entries = try await journal(server, "path=/v1.0/")
            let outer = try #require(entries.first { $0["path"] == "/v1.0/$batch" && $0["batch"] == .null })
            #expect(entries.count { $0["batch"] == outer["seq"] } == 5, "the one that waited was not asked")
            let synced = try await journal(server)
            #expect(synced.map { $0["objectId"]?.string } == [device])
            #expect(synced.map { $0["objectSet"] } == ["managedDevices"])
        }
    }

    @Test func batchesAreRefusedAsAWhole() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            let one: JSON = ["id": "1", "method": "GET", "url": "/organization"]
            #expect(
                try await server.send("POST", "/v1.0/$batch", token, Self.batch([one, one])).status == 400)
            #expect(try await server.send("POST", "/v1.0/$batch", token, [:]).status == 400)
            #expect(try await server.get("/v1.0/$batch", token).status == 405)
            let refused = try await server.send("POST", "/v1.0/$batch", body: Self.batch([one]).text)
            #expect(refused.status == 401)
            let many = (0..<21).map { JSON.object(["id": .string("\($0)"), "method": "GET", "url": "/x"]) }
            #expect(try await server.send("POST", "/v1.0/$batch", token, Self.batch(many)).status == 400)
        }
    }

    @Test func throttlingInsideABatchHidesBehindA200() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            try await server.arm(["kind": "throttle", "inBatch": true, "retryAfter": 7, "count": 1])
            #expect(try await server.get("/v1.0/organization", token).status == 200)
            let body = Self.batch([
                ["id": "1", "method": "GET", "url": "/organization"],
                ["id": "2", "method": "GET", "url": "/organization"],
            ])
            let reply = try await server.send("POST", "/v1.0/$batch", token, body)
            #expect(reply.status == 200)
            let parts = try #require(try reply.json["responses"]?.array)
            #expect(Set(parts.compactMap { $0["status"]?.integer }) == [200, 429])
            let throttled = parts.first { $0["status"] == 429 }
            #expect(throttled?["headers"]?["Retry-After"] == "7")
        }
    }

    @Test func theKthWriteBreaks() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            try await server.arm(["kind": "error", "status": 500, "writes": true, "skip": 1, "count": 1])
            var statuses: [Int] = []
            for _ in 0..<3 {
                _ = try await server.get("\(Self.configurations)?$top=1", token)
                let reply = try await server.send("POST", Self.configurations, token, Self.configuration)
                statuses.append(reply.status)
            }
            #expect(statuses == [201, 500, 201])
        }
    }

    @Test func aCreateThatWasResetIsThereAndInTheJournal() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            try await server.arm(["kind": "resetAfterCommit", "writes": true, "count": 1])
            let before = try await server.values(Self.configurations, token)
            await #expect(throws: URLError.self) {
                try await server.send("POST", Self.configurations, token, Self.configuration)
            }
            let after = try await server.values(Self.configurations, token)
            let new = try #require(Set(after).subtracting(before).first)
            let entry = try #require(try await journal(server).first)
            #expect(entry["status"] == .null && entry["fault"] == "resetAfterCommit")
            #expect(entry["objectId"]?.string == new && entry["change"] == "create")
            try await server.arm(["kind": "reset", "writes": true, "count": 1])
            await #expect(throws: URLError.self) {
                try await server.send("POST", Self.configurations, token, Self.configuration)
            }
            #expect(try await server.values(Self.configurations, token) == after)
            #expect(try await journal(server).count == 1)
        }
    }

    @Test func theJournalNamesWhatWasWritten() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            var body = try #require(Self.configuration.object)
            body["version"] = 9
            let created = try await server.send("POST", Self.configurations, token, .object(body))
            let id = try #require(try created.json["id"]?.string)
            #expect(try created.json["version"] == 1)
            let url = "\(Self.configurations)/\(id)"
            _ = try await server.send("PATCH", url, token, Self.configuration)
            _ = try await server.send("POST", "\(url)/assign", token, ["assignments": []])
            _ = try await server.send("PATCH", url, token, ["nope": 1])
            _ = try await server.send("DELETE", url, token)
            _ = try await server.send("DELETE", url, token)
            let entries = try await journal(server)
            #expect(entries.map { $0["change"]?.string } == ["create", "update", "assign", "delete"])
            #expect(entries.allSatisfy { $0["objectId"]?.string == id })
            #expect(entries.allSatisfy { $0["objectSet"] == "deviceConfigurations" })
            #expect(entries.map { $0["ignored"] } == [["version"], [], [], []])
            #expect(try await journal(server, "method=DELETE").map { $0["status"] } == [204, 404])
        }
    }

    @Test func listsLagBehindWrites() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            let before = try await server.values(Self.configurations, token)
            let lag = try await server.arm(["kind": "listLag", "reads": 2])
            let created = try await server.send("POST", Self.configurations, token, Self.configuration)
            let id = try #require(try created.json["id"]?.string)
            #expect(try await server.get("\(Self.configurations)/\(id)", token).status == 200)
            #expect(try await server.values(Self.configurations, token) == before)
            let pages = try await server.pages("\(Self.configurations)?$top=7", token)
            #expect(pages.flatMap(\.self).compactMap { $0["id"]?.string } == before)
            #expect(try await server.values(Self.configurations, token) == before + [id])
            // A deleted one stays in lists and is gone by its id.
            _ = try await server.send("DELETE", "\(Self.configurations)/\(id)", token)
            #expect(try await server.get("\(Self.configurations)/\(id)", token).status == 404)
            #expect(try await server.values(Self.configurations, token) == before + [id])
            #expect(try await server.control("DELETE", "faults/\(lag)").status == 204)
            _ = try await server.send("POST", Self.configurations, token, Self.configuration)
            #expect(try await server.values(Self.configurations, token).count == before.count + 2)
            #expect(try await server.control("POST", "faults", ["kind": "listLag"]).status == 400)
        }
    }

    @Test func writesBeyondTheQuotaAreRefusedPerTenant() async throws {
        try await RunningSandbox.run { server in
            let tokens = [try await server.writer(), try await server.writer(RunningSandbox.fabrikam)]
            try await server.arm(["kind": "writeQuota", "requests": 2, "windowSeconds": 30])
            for token in tokens {
                var statuses: [Int] = []
                for _ in 0..<3 {
                    #expect(try await server.get("\(Self.configurations)?$top=1", token).status == 200)
                    let reply = try await server.send("POST", Self.configurations, token, Self.configuration)
                    statuses.append(reply.status)
                    guard reply.status == 429 else { continue }
                    let wait = try #require(Int(reply["Retry-After"] ?? ""))
                    #expect((1...30).contains(wait))
                }
                #expect(statuses == [201, 201, 429])
            }
        }
    }

    @Test func pageFaultsConcernPoliciesToo() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            let all = try await server.values(Self.configurations, token)
            try await server.arm(["kind": "emptyPage", "skip": 1, "count": 1])
            let pages = try await server.pages("\(Self.configurations)?$top=10", token)
            #expect(pages.map(\.count) == [10, 0, 6])
            #expect(pages.flatMap(\.self).compactMap { $0["id"]?.string } == all)
            let link = try await server.get("\(Self.configurations)?$top=10", token)
            let next = try #require(try link.json["@odata.nextLink"]?.string)
            try await server.arm(["kind": "expiredSkipToken", "count": 1])
            #expect(try await server.get(next, token).status == 400)
            #expect(try await server.get(next, token).status == 200)
        }
    }

    @Test func theControlSurfaceShowsAndChangesEverything() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            let all = try await server.control("GET", Self.entities).json
            #expect(all.object?.keys == EntitySet.allCases.map(\.rawValue))
            let tenant = try await server.control("GET", "tenants/\(RunningSandbox.contoso)").json
            for set in EntitySet.allCases {
                #expect(all[set.rawValue]?.array?.count == set.defaultCount)
                #expect(tenant["entities"]?[set.rawValue] == .int(set.defaultCount))
            }
            let policy = try #require(all["deviceCompliancePolicies"]?[1])
            #expect(policy["scheduledActionsForRule"]?[0]?["scheduledActionConfigurations"] != nil)
            #expect(policy["assignments"]?.array?.count == 1)
            let path = "\(Self.entities)/deviceConfigurations"
            let id = try #require(all["deviceConfigurations"]?[0]?["id"]?.string)
            let changed = try await server.control("PATCH", "\(path)/\(id)", ["displayName": "drifted"])
            #expect(try changed.json["displayName"] == "drifted")
            #expect(
                try await server.get("\(Self.configurations)/\(id)", token).json["displayName"] == "drifted")
            #expect(try await server.control("DELETE", "\(path)/\(id)").status == 204)
            #expect(try await server.control("GET", "\(path)/\(id)").status == 404)
            #expect(try await server.get("\(Self.configurations)/\(id)", token).status == 404)
            let group = try await server.control(
                "POST", "\(Self.entities)/groups", ["displayName": "made", "securityEnabled": true])
            #expect(group.status == 201)
            let groupID = try #require(try group.json["id"]?.string)
            #expect(try await server.get("/v1.0/groups/\(groupID)", token).json["displayName"] == "made")
            #expect(try await server.control("GET", "\(Self.entities)/nope").status == 404)
            #expect(try await server.control("PUT", path).status == 405)
            #expect(try await server.control("GET", "tenants/x/entities").status == 404)
            #expect(try await journal(server).isEmpty, "the control surface is not in the journal")
        }
    }
}
