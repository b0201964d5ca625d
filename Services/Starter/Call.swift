import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Store

/// A request whose caller is known.
struct Call: Sendable {
    let caller: Principal
    let request: Request

    /// What `read` makes of the body. Throws when it has other members than those that were read, or the query
    /// has parameters.
    func read<Value: Sendable>(_ read: (inout Members) -> Value) async throws -> Value {
        try parameters.finish()
        return try Members.read(await body(), read)
    }

    /// The parameters of the query.
    var parameters: QueryParameters { QueryParameters(request.uri) }

    /// Throws unless the request has neither body members nor parameters.
    func expectNothing() async throws { try await read { _ in } }

    private func body() async throws -> [UInt8] {
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= RequestLimits.body else { throw Problem.bodyTooLarge(limit: RequestLimits.body) }
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: RequestLimits.body)
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge(limit: RequestLimits.body)
        }
        guard buffer.readableBytes > 0 else { return [] }
        guard isJSON else { throw Problem.notJSONType }
        return Array(buffer.readableBytesView)
    }

    private var isJSON: Bool {
        guard let type = request.headers[.contentType] else { return false }
        if type == "application/json" { return true }
        let media = type.prefix { $0 != ";" }
        return media.filter { $0 != " " }.lowercased() == "application/json"
    }
}
