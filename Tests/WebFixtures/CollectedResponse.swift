package import HTTPTypes
internal import Hummingbird
package import HummingbirdCore
internal import NIOCore
internal import Synchronization

/// A response as whoever asked gets it.
package struct CollectedResponse: Sendable {
    package let status: Int
    package let headers: HTTPFields
    package let body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The whole response.
    package init(_ response: Response) async throws {
        let writer = Writer { _ in }
        try await response.body.write(writer)
        status = response.status.code
        headers = response.headers
        body = writer.bytes.withLock { $0 }
    }

    /// Hands over what a response writes, piece by piece, until it ends or is cancelled.
    package static func follow(
        _ response: Response, _ piece: @escaping @Sendable (String) -> Void
    ) async throws {
        try await response.body.write(Writer { piece(String(decoding: $0.readableBytesView, as: UTF8.self)) })
    }

    private final class Writer: ResponseBodyWriter, Sendable {
        let bytes = Mutex<[UInt8]>([])
        private let piece: @Sendable (ByteBuffer) -> Void

        init(_ piece: @escaping @Sendable (ByteBuffer) -> Void) { self.piece = piece }

        func write(_ buffer: ByteBuffer) {
            bytes.withLock { $0 += Array(buffer.readableBytesView) }
            piece(buffer)
        }

        func finish(_ trailingHeaders: HTTPFields?) {}
    }
}
