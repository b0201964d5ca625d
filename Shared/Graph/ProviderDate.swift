package import FoundationEssentials
package import JSON
internal import Operations

/// The provider's moments.
package enum ProviderDate {
    /// A moment with 0 to 7 digits of a second's fraction. What was never is nil.
    package static func date(_ json: JSON?) -> Date? {
        guard let text = json?.string, text.utf8.count <= 28, text.utf8.last == UInt8(ascii: "Z") else {
            return nil
        }
        let bytes = Array(text.utf8.dropLast())
        guard bytes.count >= 19, bytes.count == 19 || bytes[19] == UInt8(ascii: ".") else { return nil }
        var fraction = Array(bytes.dropFirst(20).prefix(6))
        while fraction.count < 6 { fraction.append(UInt8(ascii: "0")) }
        let form = String(decoding: bytes.prefix(19) + [UInt8(ascii: ".")] + fraction, as: UTF8.self) + "Z"
        return Timestamp(json: .string(form))?.date
    }
}
