/// Repeatable pseudo-random values: the same key gives the same values, on every machine, for ever.
///
/// Devices are computed from their ordinal instead of being stored, so each value must be reachable directly
/// (no generator that has to be run from the start). The mixing function is splitmix64's finaliser.
struct Draws: Sendable, Hashable {
    /// What all values follow from.
    let key: UInt64

    init(key: UInt64) { self.key = key }

    /// Values that belong to `text` under `seed` (FNV-1a over the UTF-8 bytes, then mixed with the seed).
    init(seed: UInt64, text: String) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        self.key = Self.mixed(hash &+ Self.mixed(seed &+ 0x9e37_79b9_7f4a_7c15))
    }

    /// The 64 random bits of `stream`.
    func bits(_ stream: UInt64) -> UInt64 {
        Self.mixed(key &+ (stream &+ 1) &* 0x9e37_79b9_7f4a_7c15)
    }

    /// A value below `bound`, which must be positive.
    func number(_ stream: UInt64, below bound: Int) -> Int { Int(bits(stream) % UInt64(bound)) }

    /// Draws of their own for the part numbered `index`.
    func part(_ index: UInt64) -> Draws { Draws(key: bits(index &+ 0x5bd1_e995)) }

    /// A random GUID (version 4).
    func guid(_ stream: UInt64) -> GUID {
        let part = part(stream)
        return GUID(version4: part.bits(0), part.bits(1))
    }

    private static func mixed(_ input: UInt64) -> UInt64 {
        var value = input
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
