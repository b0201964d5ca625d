/// JSON text written straight into bytes.
///
/// Pages of a thousand devices are built here without an intermediate document: the sandbox must never be the
/// slow part of a benchmark.
struct JSONText {
    private(set) var bytes: [UInt8] = []

    init(reserving capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// Appends text that is already JSON.
    mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends text that is already JSON.
    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Appends bytes that are already JSON.
    mutating func raw(_ text: [UInt8]) { bytes.append(contentsOf: text) }

    /// Appends one ASCII character.
    mutating func byte(_ scalar: Unicode.Scalar) { bytes.append(UInt8(ascii: scalar)) }

    /// Removes a comma at the end, if there is one.
    mutating func dropTrailingComma() {
        if bytes.last == UInt8(ascii: ",") { bytes.removeLast() }
    }

    /// Appends a quoted string with everything escaped that JSON wants escaped.
    mutating func write(_ text: String) {
        byte("\"")
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for (offset, byte) in utf8.enumerated() where Self.needsEscape(byte) {
                bytes.append(contentsOf: utf8[start..<offset])
                writeEscape(byte)
                start = offset + 1
            }
            bytes.append(contentsOf: utf8[start...])
        }
        byte("\"")
    }

    /// Appends a quoted ASCII text that needs no escapes.
    mutating func write(plain text: StaticString) {
        byte("\"")
        raw(text)
        byte("\"")
    }

    mutating func write(_ guid: GUID) {
        byte("\"")
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { buffer in
            guid.write(into: buffer)
            bytes.append(contentsOf: buffer)
        }
        byte("\"")
    }

    mutating func write(_ date: GraphDate) {
        byte("\"")
        write(dateBody: date)
        raw("Z\"")
    }

    mutating func write(_ flag: Bool) { raw(flag ? "true" : "false") }

    mutating func write(_ number: Int64) {
        if number < 0 { byte("-") }
        write(digits: number.magnitude, width: 1)
    }

    /// Date, `T`, time and fraction without the zone: `innerError.date` has none.
    mutating func write(dateBody date: GraphDate) {
        let days = Int((Double(date.seconds) / 86_400).rounded(.down))
        let (year, month, day) = GraphDate.civil(days: days)
        let second = UInt64(date.seconds - Int64(days) * 86_400)
        write(digits: UInt64(year), width: 4)
        byte("-")
        write(digits: UInt64(month), width: 2)
        byte("-")
        write(digits: UInt64(day), width: 2)
        byte("T")
        write(digits: second / 3_600, width: 2)
        byte(":")
        write(digits: second / 60 % 60, width: 2)
        byte(":")
        write(digits: second % 60, width: 2)
        guard date.digits > 0 else { return }
        byte(".")
        let unwritten = (0..<(7 - Int(date.digits))).reduce(UInt64(1)) { value, _ in value * 10 }
        write(digits: UInt64(date.ticks) / unwritten, width: Int(date.digits))
    }

    /// Decimal digits with leading zeros up to `width` (at most 20).
    private mutating func write(digits number: UInt64, width: Int) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { buffer in
            var rest = number
            var start = 20
            while rest > 0 || 20 - start < width {
                start -= 1
                buffer[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            bytes.append(contentsOf: buffer[start...])
        }
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func writeEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): raw("\\\"")
        case UInt8(ascii: "\\"): raw("\\\\")
        case UInt8(ascii: "\n"): raw("\\n")
        case UInt8(ascii: "\r"): raw("\\r")
        case UInt8(ascii: "\t"): raw("\\t")
        default:
            raw("\\u00")
            let hexadecimal = Array("0123456789abcdef".utf8)
            bytes.append(hexadecimal[Int(byte >> 4)])
            bytes.append(hexadecimal[Int(byte & 15)])
        }
    }
}
