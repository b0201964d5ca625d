import Foundation
import JSON
import Testing

@testable import GraphSandbox

/// Armed faults as a client sees them on the wire.
@Suite struct FaultServerTests {
    private static let organization = "/v1.0/organization"
    private static let devices = "/v1.0/deviceManagement/managedDevices"

    @Test func throttlesInAllForms() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            try await server.arm(["kind": "throttle", "retryAfter": 7, "count": 1])
            try await server.arm(["kind": "throttle", "retryAfterForm": "absent", "count": 1])
            try await server.arm(["kind": "throttle", "retryAfter": 9, "retryAfterForm": "date", "count": 1])
            let first = try await server.get(Self.organization, token)
            #expect(first.status == 429)
            #expect(first.errorCode == "TooManyRequests")
            #expect(first["Retry-After"] == "7")
            #expect(try await server.get(Self.organization, token)["Retry-After"] == nil)
            #expect(try await server.get(Self.organization, token)["Retry-After"]?.hasSuffix(" GMT") == true)
            #expect(try await server.get(Self.organization, token).status == 200)
        }
    }

    @Test func answersWithOutagesAndErrors() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            try await server.arm(["kind": "outage", "status": 503, "retryAfter": 3, "count": 1])
            try await server.arm(["kind": "outage", "status": 504, "html": true, "count": 1])
            try await server.arm([
                "kind": "error", "status": 403, "code": "Forbidden", "message": "no", "count": 1,
            ])
            let unavailable = try await server.get(Self.organization, token)
            #expect(unavailable.status == 503 && unavailable["Retry-After"] == "3")
            #expect(unavailable.errorCode == "ServiceUnavailable")
            let gateway = try await server.get(Self.organization, token)
            #expect(gateway.status == 504)
            #expect(String(decoding: gateway.body, as: UTF8.self).hasPrefix("<html>"))
            let error = try await server.get(Self.organization, token)
            #expect(error.status == 403 && error.errorMessage == "no")
        }
    }

    @Test func repeatsWhatTheCallShowed() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            try await server.arm(["kind": "echo", "status": 403, "text": "s3cret+/=", "count": 1])
            let answer = try await server.get(Self.organization, token)
            #expect(answer.status == 403)
            let message = try #require(answer.errorMessage)
            for text in [token, "s3cret+/="] {
                #expect(message.contains(text))
                #expect(message.contains(Data(text.utf8).base64EncodedString()))
            }
            #expect(message.contains("%73%33%63%72%65%74%2B%2F%3D"))
            #expect(message.contains("733363726574"))
            #expect(answer["Retry-After"] == token)
            #expect(answer["x-echo-0"] == token)
            #expect(try await server.get(Self.organization, token).status == 200)
        }
    }

    @Test func tokensBecomeUnacceptableOnTheKthPage() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token(RunningSandbox.fabrikam)
            try await server.arm([
                "kind": "unauthorized", "skip": 2, "count": 1, "path": .string(Self.devices),
                "tenant": .string(RunningSandbox.fabrikam),
            ])
            var link = "\(Self.devices)?$top=300"
            var statuses: [Int] = []
            while true {
                let reply = try await server.get(link, token)
                statuses.append(reply.status)
                guard reply.status == 200 else { continue }
                guard let next = try reply.json["@odata.nextLink"]?.string else { break }
                link = next
            }
            #expect(statuses == [200, 200, 401, 200, 200, 200])
            try await server.arm(["kind": "claimsChallenge", "count": 1])
            let challenged = try await server.get(Self.organization, token)
            #expect(challenged["WWW-Authenticate"]?.contains("insufficient_claims") == true)
        }
    }

    @Test func shortTokensExpireSoon() async throws {
        let clock = SteppedClock()
        var options = RunningSandbox.withControl
        options.clock = clock.sandboxClock
        try await RunningSandbox.run(options) { server in
            try await server.arm(["kind": "shortTokens", "lifetimeSeconds": 5])
            let reply = try await server.requestToken()
            #expect(try reply.json["expires_in"] == 5)
            let token = try #require(try reply.json["access_token"]?.string)
            #expect(try await server.get(Self.organization, token).status == 200)
            clock.advance(5)
            #expect(try await server.get(Self.organization, token).status == 401)
        }
    }

    @Test func resetsBeforeHeaders() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            try await server.arm(["kind": "reset", "count": 1])
            await #expect(throws: URLError.self) { try await server.get(Self.organization, token) }
            #expect(try await server.get(Self.organization, token).status == 200)
            let entries = try await server.control("GET", "journal?path=/v1.0").json["entries"]
            #expect(entries?[0]?["fault"] == "reset")
            #expect(entries?[0]?["status"] == .null)
            #expect(entries?[0]?["answeredNs"]?.integer != nil)
        }
    }

    @Test func breaksOffBodies() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            try await server.arm(["kind": "truncate", "count": 1])
            try await server.arm(["kind": "truncate", "bytes": 0, "count": 1])
            for _ in 0..<2 {
                await #expect(throws: URLError.self) { try await server.get(Self.organization, token) }
            }
            #expect(try await server.get(Self.organization, token).status == 200)
        }
    }

    @Test func resetsAfterTheWriteWasDone() async throws {
        try await RunningSandbox.run { server in
            let roles: JSON = ["DeviceManagementManagedDevices.ReadWrite.All"]
            _ = try await server.control(
                "PUT", "tenants/\(RunningSandbox.contoso)", ["app": ["roles": roles]])
            let token = try await server.token()
            let headers = ["Authorization": "Bearer \(token)"]
            let list = try await server.get("\(Self.devices)?$top=1&$select=id", token)
            let path = "\(Self.devices)/\(try #require(try list.json["value"]?[0]?["id"]?.string))"
            for kind in ["reset", "resetAfterCommit"] {
                try await server.arm(["kind": .string(kind), "method": "DELETE", "count": 1])
                await #expect(throws: URLError.self) {
                    try await server.send("DELETE", path, headers: headers)
                }
                let after = try await server.get(path, token)
                #expect(after.status == (kind == "reset" ? 200 : 404))
            }
        }
    }

    @Test func slowAnswersAreLateAndVisibleWhileUnderWay() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            // Long enough to be looked at meanwhile, also where everything else is slow.
            try await server.arm(["kind": "slow", "delayMs": 4_000, "path": .string(Self.organization)])
            async let slow = server.get(Self.organization, token)
            var open: JSON?
            let deadline = ContinuousClock.now + .seconds(10)
            while open == nil, ContinuousClock.now < deadline {
                open = try await server.control("GET", "journal?path=\(Self.organization)").json["entries"]?[
                    0]
            }
            #expect(open?["answeredNs"] == .null)
            #expect(try await slow.status == 200)
            let entry = try #require(
                try await server.control("GET", "journal?path=\(Self.organization)").json["entries"]?[0])
            let taken = try #require(entry["answeredNs"]?.integer) - (entry["receivedNs"]?.integer ?? 0)
            #expect(taken >= 4_000_000_000)
            #expect(entry["fault"] == "slow")
        }
    }

    @Test func trickledBodiesArriveWhole() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            let whole = try await server.get(Self.organization, token)
            try await server.arm(["kind": "trickle", "bytes": 100, "delayMs": 2, "count": 1])
            #expect(try await server.get(Self.organization, token).body == whole.body)
        }
    }

    @Test func emptyPagesLoseNothing() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token(RunningSandbox.fabrikam)
            try await server.arm(["kind": "emptyPage", "skip": 1, "count": 2])
            let pages = try await server.pages("\(Self.devices)?$top=500&$select=id", token)
            #expect(pages.map(\.count) == [500, 0, 0, 500, 250])
            #expect(Set(pages.flatMap(\.self)).count == 1_250)
        }
    }

    @Test func skipTokensExpire() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token(RunningSandbox.fabrikam)
            try await server.arm(["kind": "expiredSkipToken", "count": 1])
            let first = try await server.get("\(Self.devices)?$top=500&$select=id", token)
            let link = try #require(try first.json["@odata.nextLink"]?.string)
            let refused = try await server.get(link, token)
            #expect(refused.status == 400)
            #expect(try JSON(parsing: refused.errorMessage ?? "")["_version"] == 3)
            #expect(try await server.get(link, token).status == 200)
        }
    }

    @Test func devicesMoveWhilePaging() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token(RunningSandbox.fabrikam)
            let before = try await server.pages("\(Self.devices)?$select=id", token).flatMap(\.self)
            try await server.arm(["kind": "churn", "rename": 20, "insert": 10, "delete": 4, "count": 1])
            let pages = try await server.pages("\(Self.devices)?$select=id&$top=1000", token)
            let seen = pages.flatMap(\.self)
            #expect(seen.count > Set(seen).count, "some are seen twice")
            #expect(Set(before).subtracting(seen).count > 4, "some are missed although they are there")
            let after = try await server.pages("\(Self.devices)?$select=id", token).flatMap(\.self)
            #expect(after.count == 1_250 + 10 - 4)
            let count = try await server.control("GET", "tenants/\(RunningSandbox.fabrikam)").json["devices"]
            #expect(count == .int(after.count))
        }
    }

    @Test func nextLinksComeInOtherForms() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token(RunningSandbox.fabrikam)
            let path = "\(Self.devices)?$top=1&$select=id"
            try await server.arm(["kind": "nextLink", "form": "foreignHost", "count": 1])
            let foreign = try #require(try await server.get(path, token).json["@odata.nextLink"]?.string)
            #expect(foreign.hasPrefix("https://graph.example.net/"))
            try await server.arm(["kind": "nextLink", "form": "doubleEncoded", "count": 1])
            let encoded = try #require(try await server.get(path, token).json["@odata.nextLink"]?.string)
            #expect(encoded.contains("%253A"))
            #expect(try await server.get(encoded, token).status == 200)
            #expect(try await server.get(encoded.replacing("%25", with: "%"), token).status == 400)
            try await server.arm(["kind": "nextLink", "form": "upperCaseHost", "count": 1])
            let upper = try await server.get(path, token, headers: ["X-Forwarded-Host": "graph.example"])
            #expect(
                try upper.json["@odata.nextLink"]?.string?.hasPrefix("http://GRAPH.EXAMPLE/v1.0/") == true)
        }
    }
}
