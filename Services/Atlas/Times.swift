import FoundationEssentials
import Glibc
import Operations

/// How moments are told: relative to now, or exactly with their zone.
struct Times: Sendable {
    /// Later than this, a moment is told by its date.
    private static let relativeLimit = 60 * 86_400.0

    let now: Date
    let isExact: Bool
    /// The zone's distance from UTC at a moment, in seconds to the east.
    var zone: @Sendable (Date) -> Int = Times.localZone

    /// A moment as the person wants to see it.
    func text(_ date: Date) -> String { isExact ? exact(date) : relative(date) }

    /// A moment in both ways, to the millisecond.
    func both(_ date: Date) -> String { "\(relative(date)) (\(exact(date, withFraction: true)))" }

    /// For instance «3 minutes ago» or «in 2 hours». Clocks differ a little: seconds ahead are «now».
    func relative(_ date: Date) -> String {
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
    func exact(_ date: Date, withFraction: Bool = false) -> String {
        let offset = zone(date)
        let text = Timestamp(date.addingTimeInterval(Double(offset))).description
        let day = text.prefix(10)
        let time = text.dropFirst(11).prefix(withFraction ? 12 : 8)
        return "\(day) \(time) \(Self.zoneText(offset))"
    }

    /// A length of time, for instance «12 s», «3 min 4 s», «2 h 5 min».
    static func length(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds).rounded())
        let tenths = Int((max(0, seconds) * 10).rounded())
        if tenths < 100, tenths % 10 != 0 { return "\(tenths / 10).\(tenths % 10) s" }
        if whole < 60 { return "\(whole) s" }
        if whole < 3_600 {
            return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s"
        }
        let minutes = whole % 3_600 / 60
        return minutes == 0 ? "\(whole / 3_600) h" : "\(whole / 3_600) h \(minutes) min"
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

    /// The zone of this machine, or the one that TZ names.
    @Sendable private static func localZone(_ date: Date) -> Int {
        var moment = time_t(date.timeIntervalSince1970)
        var parts = tm()
        guard localtime_r(&moment, &parts) != nil else { return 0 }
        return parts.tm_gmtoff
    }
}
