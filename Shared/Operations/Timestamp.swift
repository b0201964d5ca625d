package import FoundationEssentials
package import JSON

/// A moment as text: RFC 3339 in UTC with microseconds, the precision of the database; from 1970 on.
package struct Timestamp: Sendable, Hashable, CustomStringConvertible {
    /// The moment, rounded to whole microseconds.
    package let date: Date

    /// Wraps a moment.
    package init(_ date: Date) {
        self.date = Date(microseconds: date.microseconds)
    }

    /// Reads a JSON string of that form; nil for anything else.
    package init?(json: JSON) {
        guard let text = json.string, let date = Self.parse(text) else { return nil }
        self.date = date
    }

    /// The moment as a JSON string.
    package static func json(_ date: Date) -> JSON { .string(Timestamp(date).description) }

    /// For instance `2026-11-21T09:48:00.000000Z`.
    package var description: String {
        let (second, micro) = date.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let (day, time) = second.quotientAndRemainder(dividingBy: 86_400)
        let civil = CivilDay(sinceEpoch: day)
        var text = [UInt8](repeating: UInt8(ascii: "0"), count: 27)
        func put(_ value: Int, at end: Int, _ width: Int) {
            var rest = value
            for offset in 0..<width {
                text[end - offset] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
        }
        put(civil.year, at: 3, 4)
        put(civil.month, at: 6, 2)
        put(civil.day, at: 9, 2)
        put(time / 3_600, at: 12, 2)
        put(time / 60 % 60, at: 15, 2)
        put(time % 60, at: 18, 2)
        put(micro, at: 25, 6)
        text[4] = UInt8(ascii: "-")
        text[7] = UInt8(ascii: "-")
        text[10] = UInt8(ascii: "T")
        text[13] = UInt8(ascii: ":")
        text[16] = UInt8(ascii: ":")
        text[19] = UInt8(ascii: ".")
        text[26] = UInt8(ascii: "Z")
        return String(decoding: text, as: UTF8.self)
    }

    private static func parse(_ text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 27, bytes[10] == UInt8(ascii: "T"), bytes[26] == UInt8(ascii: "Z") else {
            return nil
        }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let micro = number(20..<26), year >= 1970, (1...12).contains(month)
        else { return nil }
        let days = CivilDay(year: year, month: month, day: day).sinceEpoch
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
        guard seconds >= 0, micro >= 0 else { return nil }
        let date = Date(microseconds: seconds * 1_000_000 + micro)
        // Signs, other separators, and days and hours that don't exist are written in another way.
        return Timestamp(date).description == text ? date : nil
    }
}

extension Date {
    /// Whole microseconds since 1970, rounded to the nearest.
    package var microseconds: Int { Int((timeIntervalSince1970 * 1_000_000).rounded()) }

    /// A moment from microseconds since 1970.
    package init(microseconds: Int) { self.init(timeIntervalSince1970: Double(microseconds) / 1_000_000) }
}
