import Curl
import JSON
import ServiceKit

/// The Starter's answer.
struct APIAnswer: Sendable {
    let status: Int
    /// Null when the answer has no content.
    let body: JSON
}

/// Calls the Starter as the owner of a token. Whatever is not a success is thrown as a ``Failure``.
struct APIClient: Sendable {
    /// How long taking authority away may take: it waits for calls that are on the wire.
    static let barrierTimeout = Duration.seconds(300)
    /// The most entries of one page, and the most pages that are read of a list.
    static let pageLimit = 200
    private static let mostPages = 100

    private let base: String
    private let token: ServiceKit.Secret
    private let client: CurlClient

    init(url: String, token: ServiceKit.Secret, client: CurlClient) {
        base = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.token = token
        self.client = client
    }

    /// Reads something. `doing` completes «Could not …».
    func get(_ path: String, _ query: [(String, String?)] = [], doing: String) async throws -> JSON {
        try await send("GET", path + Self.queryText(query), doing: doing).body
    }

    /// Reads a list to its end. `name` is the member with the entries.
    func all(_ path: String, _ name: String, _ query: [(String, String?)] = [], doing: String) async throws
        -> [JSON]
    {
        var entries: [JSON] = []
        var cursor: String?
        for _ in 0..<Self.mostPages {
            let page = try await get(
                path, query + [("limit", "\(Self.pageLimit)"), ("cursor", cursor)], doing: doing)
            entries += page[name]?.array ?? []
            cursor = page["next"]?.string
            if cursor == nil { return entries }
        }
        throw Failure(
            code: .refused, what: "Could not \(doing).",
            why: "There are more than \(Self.mostPages * Self.pageLimit) entries.", next: "Use ids.")
    }

    /// Sends a request. `doing` completes «Could not …».
    func send(
        _ method: String, _ path: String, _ body: JSON? = nil, headers: [(String, String)] = [],
        timeout: Duration = .seconds(30), doing: String
    ) async throws -> APIAnswer {
        var request = HTTPRequest(method: method, url: base + path, timeout: timeout)
        request.headers =
            [("Authorization", "Bearer \(token.reveal())"), ("Accept", "application/json")] + headers
        if let body {
            request.headers.append(("Content-Type", "application/json"))
            request.body = body.bytes
        }
        let response: HTTPResponse
        do {
            response = try await client.perform(request)
        } catch {
            throw Failure(error, doing: doing, place: "STARTER_URL")
        }
        let json: JSON? = response.body.isEmpty ? .null : try? JSON(parsing: response.body)
        guard let json else {
            throw Failure(
                code: .unreachable, what: "Could not \(doing).",
                why: "What answered (\(response.status)) is not the Starter.", next: "Check STARTER_URL.")
        }
        guard (200..<300).contains(response.status) else {
            throw Failure(problem: json, status: response.status, doing: doing)
        }
        return APIAnswer(status: response.status, body: json)
    }

    private static func queryText(_ query: [(String, String?)]) -> String {
        let given = query.compactMap { name, value in value.map { "\(name)=\(encoded($0))" } }
        return given.isEmpty ? "" : "?" + given.joined(separator: "&")
    }

    /// Percent-encodes everything but the unreserved characters (RFC 3986, section 2.3).
    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
            default: bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
