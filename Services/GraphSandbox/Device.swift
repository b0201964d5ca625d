/// One managed device: a few random bits from which each property is computed when it is asked for.
struct Device: Sendable {
    let ordinal: Int
    let draws: Draws
    let edit: DeviceRoster.Edit?
    let generator: DeviceGenerator
    let oddity: DeviceOddity?
    let platform: DevicePlatform

    init(ordinal: Int, draws: Draws, edit: DeviceRoster.Edit?, generator: DeviceGenerator) {
        self.ordinal = ordinal
        self.draws = draws
        self.edit = edit
        self.generator = generator
        oddity = DeviceOddity.of(ordinal: ordinal)
        platform = DevicePlatform.drawn(draws.number(2, below: 100))
    }

    var id: GUID { generator.id(of: ordinal) }

    /// The state follows from the ordinal alone where a tenant must have all of them, else from the draws.
    var complianceState: ComplianceState { Self.complianceState(ordinal, draws) }

    static func complianceState(_ ordinal: Int, _ draws: Draws) -> ComplianceState {
        if ordinal % 1024 == 500 { return .pendingEvaluation }
        if ordinal % 64 < 7 { return ComplianceState(rawValue: ordinal % 64)! }
        switch draws.number(3, below: 100) {
        case ..<72: return .compliant
        case ..<84: return .noncompliant
        case ..<90: return .inGracePeriod
        case ..<94: return .unknown
        case ..<96: return .error
        case ..<98: return .configManager
        default: return .conflict
        }
    }

    var name: String {
        if let renames = edit?.renames, renames > 0 {
            return "RENAMED-\(renames)-\(code(7, stream: 100 + UInt64(renames)))"
        }
        if let name = oddity?.deviceName { return name }
        switch platform.operatingSystem.description {
        case "Windows": return (draws.number(4, below: 3) == 0 ? "DESKTOP-" : "LAPTOP-") + code(7, stream: 5)
        case "iOS": return "iPhone von \(user.firstName)"
        case "iPadOS": return "iPad von \(user.firstName)"
        case "macOS": return "\(user.firstName)s MacBook"
        default: return "\(user.principalName("x").dropLast(2))_\(code(6, stream: 5))"
        }
    }

    /// Whom the device was given to. Oddities hide that person in the answers.
    var user: DeviceGenerator.User { generator.user(draws.number(6, below: 50_000)) }

    var serialNumber: String { code(10, stream: 7) }

    /// Whether the device is a phone or a tablet.
    var isMobile: Bool { ["iOS", "iPadOS", "Android"].contains(platform.operatingSystem.description) }

    var isApple: Bool { ["iOS", "iPadOS", "macOS"].contains(platform.operatingSystem.description) }

    /// A date up to `days` before the seed's fixed "today", with the oddity's shape.
    func date(_ stream: UInt64, within days: Int) -> GraphDate {
        switch oddity {
        case .neverDates: return .never
        case .foreverDates: return .forever
        default: break
        }
        let second = Self.today - Int64(draws.number(stream, below: days * 86_400))
        guard case .fraction(let digits) = oddity, digits > 0 else { return GraphDate(seconds: second) }
        return GraphDate(
            seconds: second, ticks: UInt32(draws.number(stream + 50, below: 10_000_000)), digits: digits)
    }

    /// A date up to `days` after the seed's "today".
    func futureDate(_ stream: UInt64, within days: Int) -> GraphDate {
        GraphDate(seconds: Self.today + Int64(draws.number(stream, below: days * 86_400)))
    }

    /// 2026-11-21T06:00:00Z: fixed, because the bytes must not depend on when they are read.
    private static let today: Int64 = 1_795_240_800

    /// `count` capital letters and digits.
    func code(_ count: Int, stream: UInt64) -> String {
        var bits = draws.bits(stream)
        return String(unsafeUninitializedCapacity: count) { buffer in
            for index in 0..<count {
                buffer[index] = Self.codeAlphabet[Int(bits % 36)]
                bits /= 36
            }
            return count
        }
    }

    private static let codeAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
}
