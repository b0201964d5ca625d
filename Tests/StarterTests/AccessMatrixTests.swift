import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import ServiceKit
import Testing

@testable import Starter

/// Who gets which answer where: each role in each relation to a tenant, with each kind of token, for everything that can
/// be asked of each route.
@Suite(.serialized)
struct AccessMatrixTests {
    static let requests = RouteKind.allCases.flatMap(\.requests)

    /// What an edit needs, and nothing else minds.
    private static let headers: HTTPFields = [.ifMatch: "\"1\""]

    @Test func eachRequestIsOfItsRoute() throws {
        for kind in RouteKind.allCases {
            #expect(!kind.requests.isEmpty)
            for request in kind.requests {
                let path = request.path(.missing).prefix { $0 != "?" }
                #expect(try RouteKind(Route(request.method, path: String(path))) == kind, "\(request)")
            }
        }
    }

    /// The answers are the oracle's, and what was refused changed nothing.
    @Test func everyRoleEverywhereWithEveryTokenOnEveryRoute() async throws {
        try await Site.with { site in
            let foreigners = try await AccessPlace.foreigners(site)
            var deviations: [String] = []
            var cells = 0
            var fresh: (place: AccessPlace, state: String)?
            for request in Self.requests {
                for caller in AccessOracle.Caller.all {
                    for width in AccessOracle.Width.allCases {
                        if fresh == nil {
                            let place = try await AccessPlace.make(site, foreigners)
                            fresh = (place, try await place.state())
                        }
                        let (place, state) = fresh!
                        let refusal = AccessOracle.refusal(of: request.need, to: caller, with: width)
                        let changes = refusal == nil && request.method != .get && request.success < 300
                        if changes, try await place.state() != state {
                            deviations.append(
                                "something that was refused before \(request) changed something")
                        }
                        let reply = try await Self.ask(request, place, caller, width)
                        cells += 1
                        let expected = refusal ?? request.success
                        if reply.status != expected {
                            deviations.append(
                                "\(request) by \(caller), token \(width): \(reply.status), not \(expected)")
                        }
                        if !Self.isWellFormed(reply) { deviations.append("\(request): \(reply.text)") }
                        if changes || (reply.status < 300 && request.method != .get) { fresh = nil }
                    }
                }
            }
            if let (place, state) = fresh, try await place.state() != state {
                deviations.append("the last refusals changed something")
            }
            #expect(deviations.isEmpty, "\(deviations.count) of \(cells) deviate")
            #expect(cells == Self.requests.count * 21 * 5)
        }
    }

    private static func ask(
        _ request: AccessRequest, _ place: AccessPlace, _ caller: AccessOracle.Caller,
        _ width: AccessOracle.Width
    ) async throws -> Reply {
        let token = try await place.token(of: caller, width, for: request.need.capability)
        return try await place.site.call(
            request.method, request.path(place.things), token, request.body(place.things), headers: headers)
    }

    private static func isWellFormed(_ reply: Reply) -> Bool {
        guard reply.headers[.requestID]?.count == 32 else { return false }
        return reply.status < 400
            || (reply.headers[.contentType] == "application/problem+json"
                && reply["status"]?.integer == reply.status)
    }

    /// What belongs to somebody else and what does not exist give the same bytes, and the same headers but the id.
    @Test func theForeignAndTheMissingAreTheSame() async throws {
        try await Site.with { site in
            let foreign = try await AccessPlace.make(site).things
            let token = try await site.token(for: site.world.owner)
            var asked = 0
            for request in Self.requests where Self.namesSomething(request) {
                asked += 1
                var replies: [Reply] = []
                for things in [foreign, .missing] {
                    replies.append(
                        try await site.call(
                            request.method, request.path(things), token, request.body(things),
                            headers: Self.headers))
                }
                // Tokens of somebody who is not there are none.
                let isList = request.path(foreign).hasPrefix("/v1/tokens?")
                #expect(replies.map(\.status) == (isList ? [200, 200] : [404, 404]), "\(request)")
                #expect(replies[0].body == replies[1].body, "\(request)")
                #expect(Self.headers(of: replies[0]) == Self.headers(of: replies[1]), "\(request)")
            }
            #expect(asked > 50)
        }
    }

    /// Whether it differs by what it is about.
    private static func namesSomething(_ request: AccessRequest) -> Bool {
        let (one, other) = (AccessThings.missing, AccessThings.missing)
        return request.path(one) != request.path(other)
            || (request.body(one) != request.body(other)
                && !request.path(one).contains("provider-connections"))
    }

    private static func headers(of reply: Reply) -> [String] {
        reply.headers.filter { $0.name != .requestID }.map { "\($0.name): \($0.value)" }
    }

    @Test func withoutATokenNothingIsSaid() async throws {
        try await Site.with { site in
            let place = try await AccessPlace.make(site)
            let asked =
                Self.requests.map { ($0.method, $0.path(place.things), $0.body(place.things)) }
                + [(.get, "/v1/nowhere", nil), (.delete, "/v1/runs", nil)]
            for token in [nil, BearerToken.random().reveal()] {
                var bodies: Set<[UInt8]> = []
                for (method, path, body) in asked {
                    let reply = try await site.call(method, path, token, body)
                    #expect(reply.status == 401, "\(method) \(path)")
                    #expect(reply.headers[.wwwAuthenticate] == "Bearer")
                    bodies.insert(reply.body)
                }
                #expect(bodies.count == 1)
            }
        }
    }

    @Test func whatIsNoRouteIsSaid() async throws {
        try await Site.with { site in
            for user in [site.world.owner, site.world.stranger] {
                let token = try await site.token(for: user)
                #expect(try await site.call(.get, "/v1/nowhere", token).status == 404)
                #expect(try await site.call(.delete, "/v1/runs", token).status == 405)
            }
        }
    }
}
