package import FoundationEssentials

/// How moments are told: relative to now, or exactly with their zone.
package struct Times: Sendable {
    /// Later than this, a moment is told by its date.
    private static let relativeLimit = 60 * 86_400.0

    package let now: Date
    let isExact: Bool
    /// The zone's distance from UTC at a moment, in seconds to the east.
    private let zone: @Sendable (Date) -> Int

    /// `zone` tells the zone's distance from UTC at a moment, in seconds to the east. `isExact`: with date, time and zone instead of relative to now.
    package init(now: Date, isExact: Bool, zone: @escaping @Sendable (Date) -> Int) {
        self.now = now
        self.isExact = isExact
        self.zone = zone
    }

    /// A moment as the person wants to see it.
    package func text(_ date: Date) -> String { isExact ? exact(date) : relative(date) }

    /// A moment in both ways, to the millisecond.
    package func both(_ date: Date) -> String { "\(relative(date)) (\(exact(date, withFraction: true)))" }

    /// For instance «3 minutes ago» or «in 2 hours». Clocks differ a little: seconds ahead are «now».
    package func relative(_ date: Date) -> String {
        let seconds = now.timeIntervalSince(date)
        switch abs(seconds) {
        case ..<5: return "just now"
        case Self.relativeLimit...: return exact(date)
        default:
            let amount = Self.amount(abs(seconds))
            return seconds > 0 ? "\(amount) ago" : "in \(amount)"
        }
    }

    /// For instance «2026-11-21 12:16:09 +01:00».
    package func exact(_ date: Date, withFraction: Bool = false) -> String {
        let offset = zone(date)
        let text = Timestamp(date.addingTimeInterval(Double(offset))).description
        let day = text.prefix(10)
        let time = text.dropFirst(11).prefix(withFraction ? 12 : 8)
        return "\(day) \(time) \(Self.zoneText(offset))"
    }

    private static func amount(_ seconds: Double) -> String {
        let units: [(Double, String)] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")]
        let (size, name) = units.first { seconds >= $0.0 } ?? (1, "second")
        let count = Int(seconds / size)
        return "\(count) \(name)\(count == 1 ? "" : "s")"
    }

    private static func zoneText(_ offset: Int) -> String {
        guard offset != 0 else { return "UTC" }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let minutes = abs(offset) / 60
        return "\(offset < 0 ? "-" : "+")\(two(minutes / 60)):\(two(minutes % 60))"
    }
}
