package import FoundationEssentials

extension UUID {
    /// A fresh id (version 7): ids that are made later sort behind, so that indexes grow at their end.
    @Sendable package static func timeOrdered() -> UUID {
        var bytes = UUID().uuid
        let milliseconds = UInt64(Date().timeIntervalSince1970 * 1_000)
        bytes.0 = UInt8(truncatingIfNeeded: milliseconds >> 40)
        bytes.1 = UInt8(truncatingIfNeeded: milliseconds >> 32)
        bytes.2 = UInt8(truncatingIfNeeded: milliseconds >> 24)
        bytes.3 = UInt8(truncatingIfNeeded: milliseconds >> 16)
        bytes.4 = UInt8(truncatingIfNeeded: milliseconds >> 8)
        bytes.5 = UInt8(truncatingIfNeeded: milliseconds)
        bytes.6 = 0x70 | (bytes.6 & 0x0F)
        return UUID(uuid: bytes)
    }
}
