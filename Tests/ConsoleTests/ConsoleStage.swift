import Curl
import Fixtures
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Operations
import Postgres
import Sealing
import ServiceKit
import Store
import WebFixtures

@testable import Console

/// The console over a database of its own and a real Starter, called in-process.
struct ConsoleStage: Sendable {
    static let origin = "http://console.test"
    static let lifetime = Sessions.Lifetime(idle: 3_600, absolute: 43_200)

    let database: TestDatabase
    let world: World
    let site: Site

    var pool: PostgresPool { database.pool }

    static func with(tenants: Int = 2, _ body: (ConsoleStage) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let client = CurlClient(userAgent: "test")
            let world = try await World.make(in: database.pool, tenants: tenants)
            try await RunningAPI.serve(database, SealingPrivateKey().publicKey) { url in
                let settings = try ConsoleSettings(
                    Configuration(environment: [
                        "DATABASE_URL": database.url, "STARTER_URL": url, "CONSOLE_URL": origin,
                    ]))
                let site = try Site(
                    pool: database.pool, starter: StarterClient(base: url, client: client), client: client,
                    settings: settings, logger: TestDatabase.quiet)
                try await body(ConsoleStage(database: database, world: world, site: site))
            }
            await client.close()
        }
    }

    /// A browser in which the person is signed in.
    func browser(of person: UserID) async throws -> Browser {
        let token = BearerToken.random()
        try await Sessions(pool: pool, makeID: UUID.timeOrdered).begin(
            for: person, hash: token.hash, lifetime: Self.lifetime, proof: .password)
        return Browser(site: site, session: token.reveal())
    }

    func browser(of role: Role) async throws -> Browser { try await browser(of: world.people[role]!) }

    /// Starts a connection check through the console.
    func start(_ browser: Browser, on connection: ConnectionID? = nil) async throws -> CollectedResponse {
        try await browser.post(
            "/admin/operations/start",
            [
                ("connection", "\(connection ?? world.connection)"),
                ("operation", "provider.connection.check"),
                ("key", "\(UUID())"),
            ])
    }

    /// Starts a connection check, which has succeeded then: without any consumer.
    func succeededRun(_ browser: Browser) async throws {
        _ = try await start(browser)
        _ = try await pool.query(
            "UPDATE runs SET state = 'completed', outcome = 'succeeded', completed_at = now()")
    }

    /// Tells the one who started the newest run of it, so many seconds ago: without any notifier.
    func tell(_ title: String, at secondsAgo: Double = 0) async throws {
        _ = try await pool.query(
            """
            INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event, created_at)
            SELECT id, 'inbox', workspace_id, tenant_id, initiator_id, $1, '', '{}',
                   clock_timestamp() - make_interval(secs => $2::float8)
            FROM runs ORDER BY id DESC LIMIT 1
            """, [.text(title), .double(secondsAgo)])
    }

    func runs() async throws -> [RunID] {
        try await pool.query("SELECT id FROM runs ORDER BY id").map { RunID(try $0.uuid("id")) }
    }

    func count(_ statement: Statement) async throws -> Int { try await pool.query(statement)[0].int(0) }
}

/// What a person's browser does: keeps the session, and sends forms as pages of the session make them.
struct Browser: Sendable {
    let site: Site
    var session: String?
    var address = "192.0.2.1"

    var formToken: String { SessionSeal(session ?? "").formToken }

    func get(_ path: String, accept: String = "text/html") async throws -> CollectedResponse {
        try await CollectedResponse(response(.get, path, headers: [.accept: accept]))
    }

    /// A form with the session's token, from the console's own page.
    func post(_ path: String, _ fields: [(String, String)]) async throws -> CollectedResponse {
        try await send(path, fields + [("csrf", formToken)], origin: ConsoleStage.origin)
    }

    /// A form as anybody could send it.
    func send(
        _ path: String, _ fields: [(String, String)], origin: String?, fetchSite: String? = nil
    ) async throws -> CollectedResponse {
        var headers: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
        headers[.origin] = origin
        headers[HTTPField.Name("Sec-Fetch-Site")!] = fetchSite
        let body = fields.map { "\($0.0.urlEncoded)=\($0.1.urlEncoded)" }.joined(separator: "&")
        return try await CollectedResponse(response(.post, path, headers: headers, body))
    }

    func response(
        _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], _ body: String = ""
    ) async -> Response {
        var headers = headers
        if let session { headers[.cookie] = "theme=dark; session=\(session)" }
        return await site.respond(
            to: Request(
                head: HTTPTypes.HTTPRequest(
                    method: method, scheme: "http", authority: "console.test", path: path,
                    headerFields: headers),
                body: RequestBody(buffer: ByteBuffer(string: body))), from: address)
    }
}

extension CollectedResponse {
    /// The value that a cookie is set to; nil when it is not set.
    func cookie(_ name: String) -> String? {
        headers[values: .setCookie].first { $0.hasPrefix("\(name)=") }.map {
            String($0.dropFirst(name.count + 1).prefix { $0 != ";" })
        }
    }

    var location: String? { headers[.location] }
}
