internal import FoundationEssentials
import Glibc

/// The form of a moment in a log line.
enum LogTime {
    /// In UTC to the millisecond, for example `2026-11-21T10:02:07.042Z`; `(far)` outside 1970 to 9999.
    static func text(_ date: Date) -> String {
        let milliseconds = (date.timeIntervalSince1970 * 1_000).rounded(.down)
        guard (0..<253_402_300_800_000).contains(milliseconds) else { return "(far)" }
        var seconds = time_t(milliseconds) / 1_000
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let day =
            "\(digits(parts.tm_year + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
        let clock = "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
        return "\(day)T\(clock).\(digits(Int32(Int(milliseconds) % 1_000), 3))Z"
    }

    private static func digits(_ number: Int32, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
