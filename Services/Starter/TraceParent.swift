/// The trace that a request belongs to (W3C Trace Context, `traceparent`).
enum TraceParent {
    private static let length = 55

    /// What the run keeps: the caller's own trace when the header is valid, else a new one.
    static func accept(_ header: String?) -> String { header.flatMap(validated) ?? random() }

    /// A header of version 00, or the part of a later version's that version 00 defines; nil when not valid.
    static func validated(_ header: String) -> String? {
        let bytes = Array(header.utf8)
        guard bytes.count >= length, [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }) else {
            return nil
        }
        let fields = [0..<2, 3..<35, 36..<52, 53..<55]
        guard fields.allSatisfy({ bytes[$0].allSatisfy(isHex) }) else { return nil }
        // All zeros name no trace and no caller; ff is no version.
        let zero = UInt8(ascii: "0")
        guard bytes[3..<35].contains(where: { $0 != zero }), bytes[36..<52].contains(where: { $0 != zero })
        else { return nil }
        let version = String(decoding: bytes[0..<2], as: UTF8.self)
        let isWhole = bytes.count == length
        guard version != "ff", isWhole || (version != "00" && bytes[length] == UInt8(ascii: "-")) else {
            return nil
        }
        return "00" + String(decoding: bytes[2..<length], as: UTF8.self)
    }

    /// A new trace that begins here.
    static func random() -> String { "00-\(Hex.random(16))-\(Hex.random(8))-01" }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
