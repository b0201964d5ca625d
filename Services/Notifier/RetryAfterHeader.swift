import Curl
import FoundationEssentials

extension HTTPHeaders {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// What `Retry-After` (RFC 9110, section 10.2.3) asks for, in seconds from `now`; nil when it is absent
    /// or unreadable. Never negative.
    func retryAfterSeconds(now: Date) -> Double? {
        guard let text = self["retry-after"] else { return nil }
        if (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Double(text)
        }
        return Self.date(text).map { max(0, $0.timeIntervalSince(now)) }
    }

    /// `Sat, 21 Nov 2026 08:15:30 GMT` says in another order what ISO 8601 does.
    private static func date(_ text: String) -> Date? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard text.utf8.count == 29, parts.count == 6, parts[5] == "GMT",
            let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        return try? Date("\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z", strategy: .iso8601)
    }
}
