/// Computes a tenant's devices from (seed, tenant, ordinal): nothing is stored, and equal seeds give equal
/// bytes.
struct DeviceGenerator: Sendable {
    let draws: Draws
    let domain: String

    init(seed: UInt64, tenant: Tenant) {
        draws = Draws(seed: seed, text: tenant.deviceSeed)
        domain = tenant.domain
    }

    func device(_ ordinal: Int, _ edit: DeviceRoster.Edit?) -> Device {
        Device(ordinal: ordinal, draws: draws.part(UInt64(ordinal)), edit: edit, generator: self)
    }

    /// The device's id: the ordinal is hidden in it reversibly, so that a look-up by id needs no table.
    func id(of ordinal: Int) -> GUID {
        GUID(
            version4: draws.part(UInt64(ordinal)).bits(0),
            IDScramble.scrambled(UInt64(ordinal), key: draws.bits(1)))
    }

    /// The ordinal that `id` would have; nil when no device of this tenant can have that id.
    func ordinal(of id: String) -> Int? {
        guard let guid = GUID(id) else { return nil }
        let ordinal = IDScramble.unscrambled(guid.low, key: draws.bits(1))
        guard ordinal < 1 << 32, self.id(of: Int(ordinal)) == guid else { return nil }
        return Int(ordinal)
    }

    /// The people of the tenant are numbered, too.
    func user(_ number: Int) -> User { User(number: number, draws: draws.part(1 << 40 + UInt64(number))) }

    /// A person to whom devices belong.
    struct User: Sendable {
        let number: Int
        let draws: Draws

        var id: GUID { draws.guid(0) }
        var firstName: String { Self.firstNames[draws.number(1, below: Self.firstNames.count)] }
        var lastName: String { Self.lastNames[draws.number(2, below: Self.lastNames.count)] }
        var displayName: String { "\(firstName) \(lastName)" }

        func principalName(_ domain: String) -> String {
            "\(firstName.lowercased()).\(lastName.lowercased())\(number)@\(domain)"
        }

        private static let firstNames = [
            "Anna", "Ben", "Carla", "David", "Elif", "Finn", "Greta", "Hassan", "Ines", "Jonas", "Kim",
            "Lena",
            "Mehmet", "Nora", "Olga", "Paul",
        ]
        private static let lastNames = [
            "Adler", "Becker", "Costa", "Demir", "Engel", "Fischer", "Gruber", "Haas", "Ivanova", "Jensen",
            "Keller", "Lang", "Meier", "Novak", "Okafor", "Peters",
        ]
    }
}

/// A reversible shuffling of 62-bit numbers: what a version 4 GUID's low half leaves free.
enum IDScramble {
    private static let mask: UInt64 = 1 << 62 - 1
    private static let factor: UInt64 = 0x2545_f491_4f6c_dd1d
    private static let inverse: UInt64 = {
        // Newton's iteration doubles the number of correct low bits; an odd number is its own inverse modulo
        // 8.
        var inverse = factor
        for _ in 0..<5 { inverse = inverse &* (2 &- factor &* inverse) }
        return inverse
    }()

    static func scrambled(_ number: UInt64, key: UInt64) -> UInt64 {
        var value = (number ^ key) & mask
        value = value &* factor & mask
        value ^= value >> 31
        return value &* factor & mask
    }

    static func unscrambled(_ scrambled: UInt64, key: UInt64) -> UInt64 {
        var value = scrambled & mask &* inverse & mask
        value ^= value >> 31
        value = value &* inverse & mask
        return (value ^ key) & mask
    }
}
