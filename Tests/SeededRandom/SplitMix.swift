/// SplitMix64: a small generator whose seed says everything, so that a failure can be repeated.
package struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension SplitMix {
    /// A generator with a fresh seed, which is printed: put the printed one into `init(seed:)` to repeat a run.
    package static func announced(for property: String) -> (generator: SplitMix, seed: UInt64) {
        let seed = UInt64.random(in: .min ... .max)
        print("\(property): seed \(seed)")
        return (SplitMix(seed: seed), seed)
    }

    /// One byte changed, left out, put in, doubled, or a whole piece copied to another place.
    package mutating func mutate(_ bytes: inout [UInt8]) {
        let place = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &self)
        switch Int.random(in: 0..<6, using: &self) {
        case 0 where !bytes.isEmpty: bytes[place] = UInt8.random(in: .min ... .max, using: &self)
        case 1 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        case 2 where !bytes.isEmpty: bytes.remove(at: place)
        case 3 where !bytes.isEmpty:
            let end = Int.random(in: place..<bytes.count, using: &self)
            let target = Int.random(in: 0...bytes.count, using: &self)
            bytes.insert(contentsOf: Array(bytes[place...end]), at: target)
        case 4: bytes.insert(Self.telling.randomElement(using: &self)!, at: place)
        default: bytes.insert(UInt8.random(in: .min ... .max, using: &self), at: place)
        }
    }

    /// Bytes that mean something in JSON: they get a mutation past the first few branches.
    private static let telling = Array(#"{}[]",:\-+.eEu0129tfn "#.utf8)
}
