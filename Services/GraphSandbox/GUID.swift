/// A GUID as Microsoft writes it: 8-4-4-4-12 lower-case hexadecimal digits.
struct GUID: Sendable, Hashable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A version 4 GUID with 122 of these bits.
    init(version4 high: UInt64, _ low: UInt64) {
        self.high = high & 0xffff_ffff_ffff_0fff | 0x0000_0000_0000_4000
        self.low = low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
    }

    /// The all-zero GUID, which Intune sends for "no directory device".
    static let zero = GUID(high: 0, low: 0)

    /// A fresh random GUID from the system's random source.
    static func random() -> GUID {
        GUID(version4: .random(in: .min ... .max), .random(in: .min ... .max))
    }

    /// Reads the 36-character form in either letter case; nil for anything else.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == 36 else { return nil }
        var digits = (high: UInt64(0), low: UInt64(0))
        var count = 0
        for (offset, byte) in text.utf8.enumerated() {
            if Self.hyphens.contains(offset) {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Self.digit(byte) else { return nil }
            if count < 16 {
                digits.high = digits.high << 4 | digit
            } else {
                digits.low = digits.low << 4 | digit
            }
            count += 1
        }
        self.init(high: digits.high, low: digits.low)
    }

    var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            write(into: buffer)
            return 36
        }
    }

    /// Writes the 36 bytes into `buffer`, which must have room for them.
    func write(into buffer: UnsafeMutableBufferPointer<UInt8>) {
        var nibble = 0
        for offset in 0..<36 {
            if Self.hyphens.contains(offset) {
                buffer[offset] = UInt8(ascii: "-")
                continue
            }
            let word = nibble < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (nibble & 15))) & 15
            buffer[offset] = digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a")
            nibble += 1
        }
    }

    private static let hyphens: HyphenOffsets = HyphenOffsets()

    /// The offsets 8, 13, 18 and 23 as a bit set: a `Set` would dominate the cost of writing a device.
    private struct HyphenOffsets {
        private let bits: UInt64 = 1 << 8 | 1 << 13 | 1 << 18 | 1 << 23
        func contains(_ offset: Int) -> Bool { bits >> UInt64(offset) & 1 == 1 }
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
