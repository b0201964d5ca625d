/// A point in time as Graph writes it: UTC, ISO 8601 with `Z`, and 0 to 7 digits of a second's fraction.
struct GraphDate: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    let seconds: Int64
    /// The fraction in units of 10⁻⁷ s, below 10 000 000.
    let ticks: UInt32
    /// How many digits of the fraction are written: 0…7.
    let digits: UInt8

    init(seconds: Int64, ticks: UInt32 = 0, digits: UInt8 = 0) {
        self.seconds = seconds
        self.ticks = ticks
        self.digits = digits
    }

    /// Graph's "was never set": 0001-01-01T00:00:00Z.
    static let never = GraphDate(seconds: -62_135_596_800)
    /// Graph's "for ever": 9999-12-31T23:59:59Z.
    static let forever = GraphDate(seconds: 253_402_300_799)

    static func < (left: GraphDate, right: GraphDate) -> Bool {
        (left.seconds, left.ticks) < (right.seconds, right.ticks)
    }

    /// Reads `YYYY-MM-DDThh:mm:ss[.f…]Z` as it stands in a `$filter`; nil for anything else.
    init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return nil }
        let punctuation: [(Int, Character)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
        for (offset, character) in punctuation where bytes[offset] != character.asciiValue { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60,
            let ticks = Self.ticks(bytes[19..<(bytes.count - 1)])
        else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        self.init(
            seconds: Int64(days * 86_400 + hour * 3_600 + minute * 60 + second), ticks: ticks, digits: 7)
    }

    private static func ticks(_ fraction: ArraySlice<UInt8>) -> UInt32? {
        guard let point = fraction.first else { return 0 }
        let digits = fraction.dropFirst()
        guard point == UInt8(ascii: "."), (1...7).contains(digits.count),
            let value = UInt32(String(decoding: digits, as: UTF8.self))
        else { return nil }
        return (digits.count..<7).reduce(value) { value, _ in value * 10 }
    }

    /// The date's text without quotes, e.g. `2026-11-21T08:15:00.1234567Z`.
    var text: String {
        var writer = JSONText()
        writer.write(dateBody: self)
        writer.byte("Z")
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Year, month and day of a day number (days since 1970-01-01) in the proleptic Gregorian calendar.
    static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        // Howard Hinnant's public-domain algorithm: eras of 400 years that start on 1 March.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// The inverse of ``civil(days:)``.
    static func days(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
