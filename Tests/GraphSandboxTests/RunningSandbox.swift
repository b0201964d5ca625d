import Foundation
import JSON
import Synchronization
import Testing

@testable import GraphSandbox

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A sandbox that serves on a free port inside the test's process, and a client that speaks to it over the
/// wire.
struct RunningSandbox: Sendable {
    static let controlToken = "control-token-of-the-tests"
    static let contoso = DefaultTenants.entries[0].id
    static let fabrikam = DefaultTenants.entries[1].id
    static let northwind = DefaultTenants.entries[2].id
    static let withoutIntune = DefaultTenants.entries[3].id
    static let withoutDevicesGrant = DefaultTenants.entries[4].id
    static let withoutConsent = DefaultTenants.entries[5].id

    let url: String
    let sandbox: Sandbox

    /// Starts a sandbox, runs the body, and stops it.
    static func run(
        _ options: Sandbox.Options = withControl, tenants: [Tenant] = DefaultTenants.make(),
        _ body: @escaping @Sendable (RunningSandbox) async throws -> Void
    ) async throws {
        let sandbox = Sandbox(options, tenants: tenants)
        let (addresses, continuation) = AsyncStream<String>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await SandboxServer(sandbox: sandbox, host: "127.0.0.1", port: 0)
                    .run { continuation.yield($0) }
            }
            var iterator = addresses.makeAsyncIterator()
            let url = try #require(await iterator.next())
            do {
                try await body(RunningSandbox(url: url, sandbox: sandbox))
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
        }
    }

    static var withControl: Sandbox.Options {
        var options = Sandbox.Options()
        options.controlToken = controlToken
        return options
    }

    // MARK: HTTP

    struct Reply: Sendable {
        let status: Int
        let headers: [String: String]
        let body: Data

        var json: JSON {
            get throws { try JSON(parsing: Array(body)) }
        }

        /// A header, by its name in any letter case.
        subscript(name: String) -> String? {
            headers.first { $0.key.lowercased() == name.lowercased() }?.value
        }

        var errorCode: String? { (try? json)?["error"]?["code"]?.string }
        var errorMessage: String? { (try? json)?["error"]?["message"]?.string }
    }

    func send(
        _ method: String, _ target: String, headers: [String: String] = [:], body: String? = nil
    ) async throws -> Reply {
        let address = target.hasPrefix("http") ? target : url + target
        var request = URLRequest(url: try #require(URL(string: address)))
        request.httpMethod = method
        request.timeoutInterval = 20
        request.cachePolicy = .reloadIgnoringLocalCacheData
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        request.httpBody = body.map { Data($0.utf8) }
        // A session of its own: no connection outlives the call, so a reset concerns no other test.
        let session = URLSession(configuration: .ephemeral)
        defer { session.finishTasksAndInvalidate() }
        let (data, response) = try await session.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let headers = http.allHeaderFields.compactMap { key, value in
            (key as? String).flatMap { name in (value as? String).map { (name, $0) } }
        }
        return Reply(
            status: http.statusCode, headers: Dictionary(headers, uniquingKeysWith: { first, _ in first }),
            body: data)
    }

    func control(_ method: String, _ path: String, _ body: JSON? = nil) async throws -> Reply {
        try await send(
            method, "/_sandbox/\(path)", headers: ["Authorization": "Bearer \(Self.controlToken)"],
            body: body?.text)
    }

    /// Arms a fault and returns its id.
    @discardableResult
    func arm(_ fault: JSON) async throws -> Int {
        let reply = try await control("POST", "faults", fault)
        #expect(reply.status == 201)
        return try #require(try reply.json["id"]?.integer)
    }

    // MARK: Tokens

    static func form(_ changes: [String: String?] = [:]) -> String {
        var fields: [String: String] = [
            "grant_type": "client_credentials", "client_id": DefaultTenants.clientID,
            "client_secret": DefaultTenants.clientSecret, "scope": "https://graph.microsoft.com/.default",
        ]
        for (name, value) in changes { fields[name] = value }
        return fields.map { "\($0.key)=\(PercentCoding.encode($0.value))" }.joined(separator: "&")
    }

    func requestToken(
        _ tenant: String = contoso, _ form: String = form(), headers: [String: String] = [:]
    ) async throws -> Reply {
        let type = ["Content-Type": "application/x-www-form-urlencoded"]
        return try await send(
            "POST", "/\(tenant)/oauth2/v2.0/token", headers: type.merging(headers) { $1 }, body: form)
    }

    func token(_ tenant: String = contoso) async throws -> String {
        let reply = try await requestToken(tenant)
        #expect(reply.status == 200)
        return try #require(try reply.json["access_token"]?.string)
    }

    /// A token with all permissions there are, or with these.
    func writer(_ tenant: String = contoso, roles: [String]? = nil) async throws -> String {
        let roles = (roles ?? Array(AppRole.all.keys).sorted()).map(JSON.string)
        let reply = try await control("PUT", "tenants/\(tenant)", ["app": ["roles": .array(roles)]])
        #expect(reply.status == 200)
        return try await token(tenant)
    }

    /// Sends a JSON body with the token.
    func send(_ method: String, _ target: String, _ token: String, _ body: JSON? = nil) async throws -> Reply
    {
        try await send(
            method, target,
            headers: ["Authorization": "Bearer \(token)", "Content-Type": "application/json"],
            body: body?.text)
    }

    /// A member of each element of a list's first page.
    func values(_ target: String, _ token: String, _ member: String = "id") async throws -> [String] {
        try await get(target, token).json["value"]?.array?.compactMap { $0[member]?.string } ?? []
    }

    func get(
        _ target: String, _ token: String, headers: [String: String] = [:]
    ) async throws -> Reply {
        try await send(
            "GET", target, headers: ["Authorization": "Bearer \(token)"].merging(headers) { $1 })
    }

    /// Follows the nextLinks to the end and returns each page's devices.
    func pages(_ target: String, _ token: String) async throws -> [[JSON]] {
        var pages: [[JSON]] = []
        var next: String? = target
        while let target = next {
            let reply = try await get(target, token)
            try #require(reply.status == 200, "\(reply.errorMessage ?? "")")
            let body = try reply.json
            pages.append(try #require(body["value"]?.array))
            next = body["@odata.nextLink"]?.string
            try #require(pages.count <= 1_000)
        }
        return pages
    }
}

/// A clock that stands still until it is told to advance.
final class SteppedClock: Sendable {
    private let seconds = Atomic<Int64>(2_000_000_000)

    var sandboxClock: SandboxClock { SandboxClock(unixSeconds: { self.seconds.load(ordering: .relaxed) }) }

    func advance(_ seconds: Int64) { self.seconds.add(seconds, ordering: .relaxed) }
}
