/// The path of a call. Literal parts stand in the URL and in the path's template; interpolated values stand,
/// escaped, in the URL only, so that no id can get into a log, a permit or an error.
///
///     "/v1.0/deviceManagement/managedDevices/\(deviceID)"
package struct GraphPath: Sendable, Hashable, ExpressibleByStringInterpolation {
    /// As it is sent.
    let text: String
    /// As it is told: values are `{id}`.
    let template: String

    package init(stringLiteral value: String) {
        text = value
        template = value
    }

    package init(stringInterpolation parts: Parts) {
        text = parts.text
        template = parts.template
    }

    /// This path with `more` behind it: `collection.appending("/\(id)")`.
    package func appending(_ more: GraphPath) -> GraphPath {
        GraphPath(text: text + more.text, template: template + more.template)
    }

    private init(text: String, template: String) {
        self.text = text
        self.template = template
    }

    /// Collects literals and values.
    package struct Parts: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var template = ""

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) {
            text += literal
            template += literal
        }

        package mutating func appendInterpolation(_ value: String) {
            text += URLEscaping.escape(value)
            template += "{id}"
        }
    }
}

/// Percent-encoding (RFC 3986).
enum URLEscaping {
    /// Escapes everything but letters, digits and `-._~`.
    static func escape(_ value: String) -> String {
        String(decoding: escape(Array(value.utf8)), as: UTF8.self)
    }

    /// The same for bytes.
    static func escape(_ value: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return value.flatMap { byte -> [UInt8] in
            isUnreserved(byte)
                ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    /// `?name=value&…`, or nothing. Names are written as they are: they are the caller's literals.
    static func query(_ options: [(name: StaticString, value: String)]) -> String {
        options.isEmpty
            ? "" : "?" + options.map { "\($0.name)=\(escape($0.value))" }.joined(separator: "&")
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
