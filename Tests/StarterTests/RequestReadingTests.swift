import Fixtures
import HTTPTypes
import JSON
import Operations
import Testing

@testable import Starter

/// Requests that are not what they should be.
@Suite(.serialized)
struct RequestReadingTests {
    static let uuid = "0198c0de-0000-7000-8000-000000000001"

    /// A body for a start, the status, and the pointers of what is wrong with it.
    static let starts: [(body: String, status: Int, pointers: [String])] = [
        ("{", 400, []),
        ("\u{FEFF}{}", 400, []),
        (#"{"operation":"a","operation":"b"}"#, 400, []),
        (#"{"operation":"a"} x"#, 400, []),
        (String(repeating: "[", count: 100), 400, []),
        ("[]", 422, [""]),
        ("null", 422, [""]),
        (#""text""#, 422, [""]),
        ("", 422, ["/operation", "/provider_connection_id"]),
        ("{}", 422, ["/operation", "/provider_connection_id"]),
        (#"{"operation":"","provider_connection_id":"x"}"#, 422, ["/operation", "/provider_connection_id"]),
        (#"{"operation":7,"provider_connection_id":null}"#, 422, ["/operation", "/provider_connection_id"]),
        (
            #"{"operation":"inventory.sync","provider_connection_id":"\#(uuid) "}"#, 422,
            ["/provider_connection_id"]
        ),
        (
            #"{"operation":"inventory.sync","provider_connection_id":"\#(uuid)","wait_limit_seconds":"5"}"#,
            422,
            ["/wait_limit_seconds"]
        ),
        (
            #"{"operation":"inventory.sync","provider_connection_id":"\#(uuid)","wait_limit_seconds":1.5}"#,
            422,
            ["/wait_limit_seconds"]
        ),
        (
            #"{"operation":"inventory.sync","provider_connection_id":"\#(uuid)","tenant":1,"a/b~c":2}"#, 422,
            ["/tenant", "/a~1b~0c"]
        ),
        (#"{"operation":"inventory.sync","provider_connection_id":"\#(uuid)"}"#, 404, []),
    ]

    @Test func malformedStarts() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            for (body, status, pointers) in Self.starts {
                let reply = try await site.send(
                    .post, "/v1/runs", token, Array(body.utf8), headers: [.contentType: "application/json"])
                #expect(reply.status == status, "\(body): \(reply.text)")
                #expect(reply.pointers == pointers, "\(body)")
            }
        }
    }

    /// Other routes' bodies: path, body, pointers of a 422.
    static let others: [(HTTPRequest.Method, String, JSON, [String])] = [
        (.post, "/v1/access/grants", ["user_id": .string(uuid), "role": "king"], ["/role"]),
        (.post, "/v1/access/grants", [:], ["/user_id", "/role"]),
        (
            .post, "/v1/access/grants", ["user_id": .string(uuid), "tenant_id": "x", "role": "owner"],
            ["/tenant_id"]
        ),
        (.post, "/v1/access/revocations", ["user": .string(uuid)], ["/user_id", "/user"]),
        (.post, "/v1/access/roles", ["user_id": .string(uuid)], ["/role"]),
        (.post, "/v1/users/\(uuid)/disable", ["why": "x"], ["/why"]),
        (.put, "/v1/tenants/\(uuid)/operability", ["operability": "asleep"], ["/operability"]),
        (.put, "/v1/tenants/\(uuid)/write-gate", ["open": "true"], ["/open"]),
        (.put, "/v1/provider-connections/\(uuid)/enabled", ["enabled": 1], ["/enabled"]),
        (.post, "/v1/freezes", ["scope": "everything", "id": .string(uuid)], ["/scope"]),
        (.post, "/v1/freezes/lift", ["scope": "tenant"], ["/id"]),
        (.post, "/v1/runs/\(uuid)/cancel", ["force": true], ["/force"]),
    ]

    @Test func malformedChanges() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            for (method, path, body, pointers) in Self.others {
                let reply = try await site.call(method, path, token, body)
                #expect(reply.status == 422, "\(path): \(reply.text)")
                #expect(reply.pointers == pointers, "\(path)")
            }
        }
    }

    static let queries: [(path: String, pointers: [String])] = [
        ("/v1/runs?tenant_id=x", ["?tenant_id"]), ("/v1/runs?state=ended", ["?state"]),
        ("/v1/runs?outcome=good", ["?outcome"]), ("/v1/runs?operation=coffee", ["?operation"]),
        ("/v1/runs?limit=0", ["?limit"]), ("/v1/runs?limit=201", ["?limit"]),
        ("/v1/runs?limit=ten", ["?limit"]), ("/v1/runs?cursor=", ["?cursor"]),
        ("/v1/runs?cursor=AAAAAAAAAAAAAAAAAAAAAAAA", ["?cursor"]),
        ("/v1/runs?color=red&limit=x", ["?limit", "?color"]),
        ("/v1/runs?limit=5&limit=6", ["?limit"]), ("/v1/tenants?tenant_id=\(uuid)", ["?tenant_id"]),
        ("/v1/me?verbose", ["?verbose"]), ("/v1/notifications?limit=-1", ["?limit"]),
        ("/v1/runs/\(uuid)?expand=all", ["?expand"]),
    ]

    @Test func malformedQueries() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            for (path, pointers) in Self.queries {
                let reply = try await site.call(.get, path, token)
                #expect(reply.status == 422, "\(path): \(reply.text)")
                #expect(reply.pointers == pointers, "\(path)")
            }
        }
    }

    @Test func aCursorOfAnotherListIsRefused() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let page = try await site.call(.get, "/v1/tenants?limit=1", token)
            let cursor = try #require(page["next"]?.string)
            #expect(try await site.call(.get, "/v1/tenants?cursor=\(cursor)", token).status == 200)
            #expect(try await site.call(.get, "/v1/runs?cursor=\(cursor)", token).pointers == ["?cursor"])
        }
    }

    @Test func onlyJSONIsTaken() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let body = checkBody(on: site.world.connection).bytes
            for type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", nil] {
                var headers: HTTPFields = [:]
                headers[.contentType] = type
                let reply = try await site.send(.post, "/v1/runs", token, body, headers: headers)
                #expect(reply.status == 415, "\(type ?? "none")")
            }
            let reply = try await site.send(
                .post, "/v1/runs", token, body, headers: [.contentType: "Application/JSON; charset=utf-8"])
            #expect(reply.status == 202)
        }
    }

    @Test func everythingHasALimit() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let large = [UInt8](repeating: 0x20, count: RequestLimits.body + 1)
            let json: HTTPFields = [.contentType: "application/json"]
            #expect(try await site.send(.post, "/v1/runs", token, large, headers: json).status == 413)
            let announced: HTTPFields = [.contentType: "application/json", .contentLength: "70000"]
            #expect(try await site.send(.post, "/v1/runs", token, [], headers: announced).status == 413)
            let fitting = checkBody(on: site.world.connection).bytes
            let padded = fitting + [UInt8](repeating: 0x20, count: RequestLimits.body - fitting.count)
            #expect(try await site.send(.post, "/v1/runs", token, padded, headers: json).status == 202)

            let header: HTTPFields = [.userAgent: String(repeating: "x", count: RequestLimits.headers)]
            #expect(try await site.call(.get, "/v1/me", token, headers: header).status == 431)
            let address = "/v1/runs?state=" + String(repeating: "x", count: RequestLimits.address)
            #expect(try await site.call(.get, address, token).status == 414)
        }
    }

    @Test func aWrongMethodNamesTheRightOnes() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let reply = try await site.call(.put, "/v1/runs", token)
            #expect(reply.status == 405)
            #expect(reply.headers[.allow] == "GET, POST")
        }
    }

    /// What does not exist, and what the caller may not know, can't be told apart.
    @Test func notFoundIsAlwaysTheSame() async throws {
        try await Site.with { site in
            let foreign = try await World.make(in: site.pool)
            let hidden = try await site.start(
                site.token(for: foreign.owner, in: foreign.workspace), on: foreign.connection)
            let token = try await site.token(for: site.world.owner)
            let stranger = try await site.token(for: site.world.stranger)
            let own = try await site.start(token)
            let calls: [(HTTPRequest.Method, String, String, JSON?)] = [
                (.get, "/v1/runs/\(Self.uuid)", token, nil), (.get, "/v1/runs/\(hidden)", token, nil),
                (.get, "/v1/runs/\(own)", stranger, nil), (.get, "/v1/runs/x", token, nil),
                (.get, "/v1/runs/\(hidden)/explanation", token, nil),
                (.post, "/v1/runs/\(hidden)/cancel", token, nil),
                (.get, "/v1/runs?tenant_id=\(foreign.tenant)", token, nil),
                (.get, "/v1/provider-connections?tenant_id=\(Self.uuid)", token, nil),
                (.get, "/", token, nil), (.get, "/v1/runs/", token, nil), (.get, "/v1//runs", token, nil),
                (.get, "/v1/nowhere/at/all/there", token, nil),
                (.post, "/v1/runs", token, checkBody(on: foreign.connection)),
                (.post, "/v1/runs", stranger, checkBody(on: site.world.connection)),
                (.post, "/v1/users/\(foreign.owner)/disable", token, nil),
                (
                    .post, "/v1/access/grants", token,
                    ["user_id": .string("\(foreign.owner)"), "role": "owner"]
                ),
                (
                    .post, "/v1/access/revocations", token,
                    [
                        "user_id": .string("\(site.world.stranger)"),
                        "tenant_id": .string("\(site.world.tenant)"),
                    ]
                ),
                (.put, "/v1/tenants/\(foreign.tenant)/write-gate", token, ["open": true]),
                (.put, "/v1/tenants/\(Self.uuid)/write-gate", token, ["open": true]),
            ]
            var first: Reply?
            for (method, path, token, body) in calls {
                var reply = try await site.call(method, path, token, body)
                #expect(reply.status == 404, "\(method) \(path)")
                reply.headers[.requestID] = nil
                #expect(reply.body == first?.body ?? reply.body, "\(method) \(path)")
                #expect(reply.headers == first?.headers ?? reply.headers, "\(method) \(path)")
                first = first ?? reply
            }
        }
    }
}
