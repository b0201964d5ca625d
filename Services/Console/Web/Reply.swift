import HTTPTypes
import Hummingbird
import NIOCore

/// What the console answers, before it becomes a response.
struct Reply: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields = [:]
    var body = ResponseBody()

    /// A page.
    static func html(_ status: HTTPResponse.Status = .ok, _ text: String) -> Reply {
        Reply(
            status: status, headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// After something was done: the browser looks at another page, and reloading that does nothing twice.
    static func seeOther(_ path: String) -> Reply { Reply(status: .seeOther, headers: [.location: path]) }

    /// With one more `Set-Cookie`.
    func setting(_ cookie: String) -> Reply {
        var reply = self
        reply.headers.append(HTTPField(name: .setCookie, value: cookie))
        return reply
    }

    /// The response, with what every answer says to the browser.
    func response(requestID: String, isSecure: Bool) -> Response {
        var headers = headers
        headers[Self.requestID] = requestID
        for (name, value) in Self.policy { headers[name] = value }
        if isSecure { headers[.strictTransportSecurity] = "max-age=31536000" }
        // What somebody may see is nobody else's; what is the same for all (styles) says so itself.
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        return Response(status: status, headers: headers, body: body)
    }

    static let requestID = HTTPField.Name("X-Request-Id")!

    /// Nothing is loaded from elsewhere, nothing written into a page is executed, and no other site shows a page in a frame.
    private static let policy: [(HTTPField.Name, String)] = [
        (
            .contentSecurityPolicy,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri /csp-report"
        ),
        (.xContentTypeOptions, "nosniff"),
        (HTTPField.Name("Referrer-Policy")!, "same-origin"),
        (HTTPField.Name("Cross-Origin-Opener-Policy")!, "same-origin"),
        (HTTPField.Name("Cross-Origin-Resource-Policy")!, "same-origin"),
        (HTTPField.Name("Permissions-Policy")!, "camera=(), geolocation=(), microphone=()"),
    ]
}
