/// The `Retry-After` header (RFC 9110, section 10.2.3).
enum RetryAfter {
    /// A header that asks for more than this is taken for this: a day.
    static let longestSeconds = 86_400.0

    /// The seconds to wait: a number, or a date minus the answer's own date (else minus `now`, in seconds
    /// since 1970). Nil when the header is absent or is neither.
    static func seconds(_ header: String?, date: String?, now: Double) -> Double? {
        guard let text = header?.trimming, !text.isEmpty else { return nil }
        if text.utf8.count <= 12, let number = Double(text),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") })
        {
            return min(number, longestSeconds)
        }
        guard let moment = HTTPDate.seconds(text) else { return nil }
        let answered = date.flatMap { HTTPDate.seconds($0.trimming) } ?? now
        return min(max(moment - answered, 0), longestSeconds)
    }
}

/// Dates in HTTP headers.
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970 of an IMF-fixdate (`Sat, 21 Nov 2026 08:15:00 GMT`); nil for anything else.
    static func seconds(_ text: String) -> Double? {
        let fields = text.split(separator: " ", omittingEmptySubsequences: false)
        guard text.utf8.count == 29, fields.count == 6, fields[0].utf8.count == 4, fields[0].last == ",",
            fields[0].dropLast().allSatisfy({ $0.isASCII && $0.isLetter }), fields[5] == "GMT",
            let day = number(fields[1], 2, 1...31), let month = months.firstIndex(of: String(fields[2])),
            let year = number(fields[3], 4, 1970...9999)
        else { return nil }
        let clock = fields[4].split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, let hour = number(clock[0], 2, 0...23),
            let minute = number(clock[1], 2, 0...59), let second = number(clock[2], 2, 0...60)
        else { return nil }
        return Double(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
    }

    private static func number(_ text: Substring, _ digits: Int, _ range: ClosedRange<Int>) -> Int? {
        guard text.utf8.count == digits, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(text), range.contains(number)
        else { return nil }
        return number
    }

    /// Days from 1970 to a day; `month` counts from 0.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month]
        let past = year - 1
        let leapDays = (past / 4 - past / 100 + past / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400)
        return (year - 1970) * 365 + leapDays + before + (isLeap && month > 1 ? 1 : 0) + day - 1
    }
}

extension String {
    fileprivate var trimming: String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
