/// The answer to a request, complete: a body that ended early is an error instead.
package struct HTTPResponse: Sendable, CustomStringConvertible, CustomReflectable {
    /// 100 to 999. A redirect is an answer like any other; it is never followed.
    package let status: Int
    package let headers: HTTPHeaders
    /// The body, decoded when it came compressed; at most the body limit of the request.
    package let body: [UInt8]

    package init(status: Int, headers: HTTPHeaders, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Neither headers nor body: both may carry secrets.
    package var description: String {
        "HTTP \(status), \(headers.fields.count) header fields, \(body.count) bytes"
    }

    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
