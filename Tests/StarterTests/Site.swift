import Fixtures
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JSON
import NIOCore
import Operations
import Postgres
import Sealing
import Store
import Synchronization
import WebFixtures
import ServiceKit

@testable import Starter

/// The API over a database of its own, called in-process.
struct Site: Sendable {
    let database: TestDatabase
    let world: World
    let api: StarterAPI
    /// What was handed over to be published.
    let published: Published
    /// What credentials are sealed to here.
    static let key = SealingPrivateKey()

    final class Published: Sendable {
        private let messages = Mutex<[PendingMessage]>([])
        var all: [PendingMessage] { messages.withLock { $0 } }
        func add(_ more: [PendingMessage]) { messages.withLock { $0 += more } }
    }

    /// The notifier's, to which everything secret of webhooks is sealed.
    static let notifierKey = SealingPrivateKey()

    var pool: PostgresPool { database.pool }

    static func with(
        families: Set<OperationFamily> = Set(OperationFamily.allCases), rateLimit: RateLimit? = nil,
        tenants: Int = 2, _ body: (Site) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let published = Published()
            let site = Site(
                database: database, world: try await World.make(in: database.pool, tenants: tenants),
                api: api(on: database.pool, families: families, rateLimit: rateLimit, published: published),
                published: published)
            try await body(site)
        }
    }

    static func api(
        on pool: PostgresPool, families: Set<OperationFamily> = Set(OperationFamily.allCases),
        rateLimit: RateLimit? = nil, published: Published = Published()
    ) -> StarterAPI {
        StarterAPI(
            pool: pool, families: families, outboxLeaseSeconds: 10, rateLimit: rateLimit,
            credentialKey: key.publicKey,
            webhooks: WebhookSealing(
                publicKey: notifierKey.publicKey, allowsHTTP: false, makeID: timeOrderedID),
            logger: TestDatabase.quiet, makeID: timeOrderedID, publish: published.add)
    }

    /// A token of the person; `lifetime` in seconds.
    func token(
        for user: UserID, in workspace: WorkspaceID? = nil, id: UUID = UUID(), lifetime: Int = 600,
        scope: TokenScope = .full
    ) async throws -> String {
        let token = BearerToken.random()
        try await Principals(pool: pool).issue(
            id, hash: token.hash, label: "test", lifetimeSeconds: lifetime, scope: scope, for: user,
            in: workspace ?? world.workspace, by: .system)
        return token.reveal()
    }

    func call(
        _ method: HTTPRequest.Method, _ path: String, _ token: String?, _ body: JSON? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        var headers = headers
        if body != nil { headers[.contentType] = "application/json" }
        return try await send(method, path, token, body?.bytes ?? [], headers: headers)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ token: String?, _ body: [UInt8],
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        try await Reply(of: api, method, path, token, body, headers: headers)
    }

    /// Starts a connection check and returns the run.
    func start(_ token: String, on connection: ConnectionID? = nil) async throws -> RunID {
        let reply = try await call(.post, "/v1/runs", token, checkBody(on: connection ?? world.connection))
        guard reply.status == 202, let id = reply["run_id"]?.string.flatMap(RunID.init) else {
            throw Unexpected(reply: reply.text)
        }
        return id
    }
}

struct Unexpected: Error { let reply: String }

/// What starts a connection check.
func checkBody(on connection: ConnectionID) -> JSON {
    ["operation": "provider.connection.check", "provider_connection_id": .string("\(connection)")]
}

/// An answer of the API.
struct Reply: Sendable {
    let status: Int
    var headers: HTTPFields
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    subscript(_ member: String) -> JSON? { (try? JSON(parsing: body))?[member] }
    /// The pointers of the faults.
    var pointers: [String] { (self["errors"]?.array ?? []).compactMap { $0["pointer"]?.string } }
    /// The ids under `key` of the entries of the list `name`.
    func ids(_ name: String, _ key: String) -> [String] {
        (self[name]?.array ?? []).compactMap { $0[key]?.string }
    }

    init(
        of api: StarterAPI, _ method: HTTPRequest.Method, _ path: String, _ token: String?, _ body: [UInt8],
        headers: HTTPFields = [:]
    ) async throws {
        var headers = headers
        if let token { headers[.authorization] = "Bearer \(token)" }
        let response = await api.respond(
            to: Request(
                head: HTTPRequest(
                    method: method, scheme: "http", authority: "test", path: path, headerFields: headers),
                body: RequestBody(buffer: ByteBuffer(bytes: body))))
        let collected = try await CollectedResponse(response)
        status = collected.status
        self.headers = collected.headers
        self.body = collected.body
    }
}

private let lastID = Mutex<UInt64>(0)

/// Ids in the order in which they are made, also within a millisecond.
@Sendable func timeOrderedID() -> UUID {
    let now = UInt64(Date().timeIntervalSince1970 * 1_000) << 16
    let number = lastID.withLock { last in
        last = max(last + 1, now)
        return last
    }
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    return UUID(
        uuid: (
            bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], 0x70, bytes[6], 0x80, bytes[7], 0, 0,
            0, 0, 0, 1
        ))
}
