/// The trace that work belongs to, as a header `traceparent` names it (W3C Trace Context, version 00). It travels from
/// the start request to the run, and from there into each provider call and webhook.
package struct TraceParent: Sendable, Hashable, CustomStringConvertible {
    private static let length = 55

    /// The header's value, for instance `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
    package let description: String

    /// Of the work that this task does; nil when it belongs to none.
    @TaskLocal package static var current: TraceParent?

    /// Reads a header of version 00, or the part of a later version's that version 00 defines; nil when not valid.
    package init?(_ header: String) {
        let bytes = Array(header.utf8)
        guard bytes.count >= Self.length, [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }) else {
            return nil
        }
        let fields = [0..<2, 3..<35, 36..<52, 53..<55]
        guard fields.allSatisfy({ bytes[$0].allSatisfy(Self.isHex) }) else { return nil }
        // All zeros name no trace and no caller; ff is no version.
        let zero = UInt8(ascii: "0")
        guard bytes[3..<35].contains(where: { $0 != zero }), bytes[36..<52].contains(where: { $0 != zero })
        else { return nil }
        let version = String(decoding: bytes[0..<2], as: UTF8.self)
        let isWhole = bytes.count == Self.length
        guard version != "ff", isWhole || (version != "00" && bytes[Self.length] == UInt8(ascii: "-")) else {
            return nil
        }
        description = "00" + String(decoding: bytes[2..<Self.length], as: UTF8.self)
    }

    private init(description: String) { self.description = description }

    /// A new trace, sampled, which begins here.
    package static func random(using generator: inout some RandomNumberGenerator) -> TraceParent {
        let trace = hex(.random(in: 1 ... .max, using: &generator)) + hex(generator.next())
        return TraceParent(description: "00-\(trace)-\(hex(.random(in: 1 ... .max, using: &generator)))-01")
    }

    /// The same trace, seen from a part of the work with a number of its own, which is not 0.
    package func child(_ span: UInt64) -> TraceParent {
        TraceParent(description: description.prefix(36) + Self.hex(max(span, 1)) + description.suffix(3))
    }

    /// Sixteen digits.
    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
