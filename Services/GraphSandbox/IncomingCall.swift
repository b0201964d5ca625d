import HTTPTypes
import Hummingbird

/// One request, reduced to what the handlers look at.
struct IncomingCall: Sendable {
    let method: String
    /// The path as it was sent, without the query.
    let path: String
    /// The path's segments, percent-decoded. Empty segments are left out.
    let segments: [String]
    let query: QueryString
    /// Scheme and host that the client used: answers with URLs build on it.
    let base: String
    /// The client's own id for the call, if it sent one.
    let clientRequestID: String?
    /// The trace that the client does the call in, if it said so.
    let traceParent: String?
    /// The token of an `Authorization: Bearer` header.
    let bearerToken: String?
    let contentType: String?
    /// Whether the client wants the connection closed after the answer.
    let isLast: Bool
    var body: [UInt8] = []

    init(_ request: Request) {
        let target = request.head.path ?? "/"
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let headers = request.headers
        method = request.method.rawValue
        path = parts.first.map(String.init) ?? "/"
        segments = path.split(separator: "/").map {
            PercentCoding.decode($0, plusIsSpace: false) ?? String($0)
        }
        query = QueryString(parts.count > 1 ? String(parts[1]) : "")
        base = Self.base(
            scheme: headers[.forwardedProto], host: headers[.forwardedHost] ?? request.head.authority)
        clientRequestID = headers[.clientRequestID].map { String($0.prefix(64)) }
        traceParent = headers[.traceParent].map { String($0.prefix(64)) }
        bearerToken = headers[.authorization].flatMap(Self.bearerToken)
        contentType = headers[.contentType]
        isLast = headers[.connection]?.lowercased() == "close"
    }

    /// A request inside a batch: it comes from the batch's client, with the batch's token.
    init(_ entry: Batch.Entry, of batch: IncomingCall, version: GraphVersion) {
        let parts = entry.url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let relative = String(parts[0].drop { $0 == "/" })
        method = entry.method
        path = "/\(version.rawValue)/\(relative)"
        segments = path.split(separator: "/").map {
            PercentCoding.decode($0, plusIsSpace: false) ?? String($0)
        }
        query = QueryString(parts.count > 1 ? String(parts[1]) : "")
        base = batch.base
        clientRequestID = entry.headers["client-request-id"].map { String($0.prefix(64)) }
        traceParent = batch.traceParent
        bearerToken = batch.bearerToken
        contentType = entry.headers["content-type"]
        isLast = false
        body = entry.body
    }

    /// Falls back to the loopback name when a header holds what can't be part of a URL.
    static func base(scheme: String?, host: String?) -> String {
        let scheme = scheme?.lowercased() == "https" ? "https" : "http"
        let isHost = host.map { host in
            !host.isEmpty && host.utf8.count <= 255
                && host.utf8.allSatisfy { byte in
                    Unicode.Scalar(byte).properties.isAlphabetic && byte < 128
                        || "0123456789.-:[]".utf8.contains(byte)
                }
        }
        return "\(scheme)://\(isHost == true ? host! : "localhost")"
    }

    private static func bearerToken(_ header: String) -> String? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}

extension HTTPField.Name {
    static let forwardedProto = Self("X-Forwarded-Proto")!
    static let forwardedHost = Self("X-Forwarded-Host")!
    static let clientRequestID = Self("client-request-id")!
    static let traceParent = Self("traceparent")!
    static let requestID = Self("request-id")!
    static let diagnostic = Self("x-ms-ags-diagnostic")!
    static let odataVersion = Self("OData-Version")!
    static let msRequestID = Self("x-ms-request-id")!
}
