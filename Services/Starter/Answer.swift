import HTTPTypes
import Hummingbird
import JSON
import NIOCore

/// What the API answers, before it becomes a response.
struct Answer: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields = [:]
    /// Empty for an answer without content.
    var body: [UInt8] = []

    /// A JSON document.
    static func json(_ status: HTTPResponse.Status, _ value: JSON) -> Answer {
        Answer(status: status, headers: [.contentType: "application/json"], body: value.bytes)
    }

    /// Done, and there is nothing to say about it.
    static let noContent = Answer(status: .noContent)

    /// The response, with the id under which the log knows the request.
    func response(requestID: String) -> Response {
        var headers = headers
        headers[.requestID] = requestID
        headers[.cacheControl] = "no-store"
        return Response(
            status: status, headers: headers,
            body: body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

extension HTTPField.Name {
    static let requestID = Self("X-Request-Id")!
    static let idempotencyKey = Self("Idempotency-Key")!
    static let link = Self("Link")!
}
