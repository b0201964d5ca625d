import Fixtures
import Foundation
import FoundationNetworking
import Hummingbird
import HummingbirdCore
import ServiceKit
import JSON
import NIOCore
import Operations
import ServiceLifecycle
import Testing

@testable import Starter

/// The API behind a real server, as a client sees it.
@Suite(.serialized)
struct WireTests {
    /// Runs `body` with the address of a server on a free port.
    private func withServer(_ site: Site, _ body: (URL) async throws -> Void) async throws {
        let router = Router(context: ServiceRequestContext.self)
        router.get("livez") { _, _ in "alive" }
        router.add(middleware: StarterMiddleware(api: site.api))
        let (ports, told) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { told.yield($0.localAddress?.port ?? 0) }, logger: TestDatabase.quiet)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [application], logger: TestDatabase.quiet))
        let running = Task { try await group.run() }
        for await port in ports {
            try await body(#require(URL(string: "http://127.0.0.1:\(port)")))
            break
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }

    private func request(_ url: URL, _ method: String, _ token: String?, _ body: Data? = nil) -> URLRequest {
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body
        if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        return request
    }

    @Test func aStartOverTheWire() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            try await withServer(site) { base in
                let body = Data(checkBody(on: site.world.connection).bytes)
                let (data, response) = try await URLSession.shared.data(
                    for: request(base.appending(path: "v1/runs"), "POST", token, body))
                let answer = try #require(response as? HTTPURLResponse)
                #expect(answer.statusCode == 202)
                let run = try #require(JSON(parsing: Array(data))["run_id"]?.string)
                #expect(answer.value(forHTTPHeaderField: "Location") == "/v1/runs/\(run)")
                #expect(answer.value(forHTTPHeaderField: "X-Request-Id")?.count == 32)
                #expect(answer.value(forHTTPHeaderField: "Cache-Control") == "no-store")

                let (none, ended) = try await URLSession.shared.data(
                    for: request(
                        base.appending(path: "v1/users/\(site.world.operator)/enable"), "POST",
                        site.token(for: site.world.owner)))
                #expect((ended as? HTTPURLResponse)?.statusCode == 204)
                #expect(none.isEmpty)
            }
        }
    }

    @Test func aBodyThatIsTooLargeIsRefusedAndTheConnectionGoesOn() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            try await withServer(site) { base in
                for _ in 0..<3 {
                    let (data, response) = try await URLSession.shared.data(
                        for: request(
                            base.appending(path: "v1/runs"), "POST", token,
                            Data(count: RequestLimits.body + 1)))
                    #expect((response as? HTTPURLResponse)?.statusCode == 413)
                    #expect(try JSON(parsing: Array(data))["status"]?.integer == 413)
                }
                let (_, response) = try await URLSession.shared.data(
                    for: request(base.appending(path: "v1/me"), "GET", token))
                #expect((response as? HTTPURLResponse)?.statusCode == 200)
            }
        }
    }

    /// Paths and methods that no route has are answered by the API, too; the service's own routes are not.
    @Test func everythingElseIsTheAPIs() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            try await withServer(site) { base in
                let cases: [(String, String, String?, Int)] = [
                    ("GET", "livez", nil, 200), ("GET", "nowhere", nil, 401), ("GET", "nowhere", token, 404),
                    ("PATCH", "v1/runs", token, 405), ("GET", "", token, 404),
                ]
                for (method, path, token, status) in cases {
                    let (_, response) = try await URLSession.shared.data(
                        for: request(base.appending(path: path), method, token))
                    #expect((response as? HTTPURLResponse)?.statusCode == status, "\(method) /\(path)")
                }
            }
        }
    }
}
