import HTTPTypes
import Hummingbird
import HummingbirdCore

/// How large the parts of a request may be, in bytes.
enum RequestLimits {
    static let body = 64 * 1024
    /// Names and values of all headers together.
    static let headers = 16 * 1024
    /// Path and query.
    static let address = 4 * 1024

    /// Throws when the address or the headers are too large. The body is looked at when it is read.
    static func check(_ request: Request) throws(Problem) {
        guard request.uri.string.utf8.count <= address else { throw .addressTooLong(limit: address) }
        let size = request.headers.reduce(0) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count }
        guard size <= headers else { throw .headersTooLarge(limit: headers) }
    }
}
