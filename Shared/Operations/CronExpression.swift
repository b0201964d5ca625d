/// When something is to happen, as the five fields of cron: minute, hour, day of the month, month, weekday.
///
///     field     numbers   also
///     minute    0–59      *   5   1,15   10-20   */15   10-40/5
///     hour      0–23
///     day       1–31
///     month     1–12      jan … dec
///     weekday   0–7       sun … sat; 0 and 7 are Sunday
///
/// `@hourly`, `@daily` (`@midnight`), `@weekly`, `@monthly` and `@yearly` (`@annually`) are short for the fields that
/// they mean. When both the day and the weekday are restricted, a day needs to match only one of them, as in cron; a
/// field that begins with `*` does not restrict in this sense (`*/2` in one and a restriction in the other must both
/// match).
package struct CronExpression: Sendable, Hashable {
    /// The most characters of an expression.
    package static let lengthLimit = 200

    /// As it was written, with single spaces.
    package let text: String
    /// The numbers of each field, as bits.
    let minutes: UInt64
    let hours: UInt64
    let days: UInt64
    let months: UInt64
    /// 0 is Sunday.
    let weekdays: UInt64
    /// Whether a day needs to match the day or the weekday only.
    let takesEitherDay: Bool

    /// Reads an expression. Throws what is wrong with it, with the field and what it allows.
    package init(_ text: String) throws(CronError) {
        guard text.utf8.count <= Self.lengthLimit else { throw .tooLong }
        let words = text.lowercased().split { $0 == " " || $0 == "\t" }.map(String.init)
        var fields = words
        if words.count == 1, words[0].hasPrefix("@") {
            guard let meaning = Self.names[words[0]] else { throw .nameUnknown(words[0]) }
            fields = meaning.split(separator: " ").map(String.init)
        }
        guard fields.count == CronField.allCases.count else { throw .fieldCount(fields.count) }
        self.text = words.joined(separator: " ")
        minutes = try CronField.minute.bits(fields[0])
        hours = try CronField.hour.bits(fields[1])
        days = try CronField.day.bits(fields[2])
        months = try CronField.month.bits(fields[3])
        let weekdays = try CronField.weekday.bits(fields[4])
        // 7 is another name of Sunday.
        self.weekdays = (weekdays | weekdays >> 7) & 0x7F
        takesEitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        guard firesEver else { throw .neverFires }
    }

    private static let names = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    /// Every weekday comes to every day of the year within 400 years, the leap day included: only a day that none of
    /// the months has never comes.
    private var firesEver: Bool {
        if takesEitherDay { return true }
        let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...12).contains { month in
            months.has(month) && days & ((1 << UInt64(lengths[month - 1] + 1)) - 1) != 0
        }
    }

    /// Whether it fires on that day at all.
    func matches(_ day: CivilDay) -> Bool {
        guard months.has(day.month) else { return false }
        let (isDay, isWeekday) = (days.has(day.day), weekdays.has(day.weekday))
        return takesEitherDay ? isDay || isWeekday : isDay && isWeekday
    }
}

/// A field of a cron expression.
package enum CronField: String, Sendable, CaseIterable {
    case minute, hour, day, month, weekday

    /// The numbers that it may hold.
    package var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .day: 1...31
        case .month: 1...12
        case .weekday: 0...7
        }
    }

    /// What it allows, in words.
    package var allowed: String {
        let numbers = "numbers from \(range.lowerBound) to \(range.upperBound)"
        let names = self.names.isEmpty ? "" : " or names from \(self.names.first!) to \(self.names.last!)"
        return "\(numbers)\(names), as *, lists (1,2), ranges (1-5) and steps (*/5, 10-40/5)"
    }

    /// The names of its numbers, from the first number on.
    private var names: [String] {
        switch self {
        case .month:
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        case .minute, .hour, .day: []
        }
    }

    fileprivate func bits(_ text: String) throws(CronError) -> UInt64 {
        var bits: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let numbers = numbers(part) else { throw .field(self, text) }
            for number in numbers { bits |= 1 << UInt64(number) }
        }
        return bits
    }

    /// The numbers of one part of a list; nil when it can't be read.
    private func numbers(_ part: Substring) -> StrideThrough<Int>? {
        let halves = part.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return nil }
        guard let span = span(halves[0]) else { return nil }
        guard halves.count == 2 else { return stride(from: span.lowerBound, through: span.upperBound, by: 1) }
        // A step belongs to something that has more than one number.
        guard halves[0] == "*" || halves[0].contains("-"), let step = number(halves[1]), step > 0,
            step <= range.upperBound
        else { return nil }
        return stride(from: span.lowerBound, through: span.upperBound, by: step)
    }

    private func span(_ text: Substring) -> ClosedRange<Int>? {
        // The weekday's 7 is Sunday once more: «every weekday» has seven, not eight.
        if text == "*" { return self == .weekday ? 0...6 : range }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(value)
        switch ends.count {
        case 1: return ends[0].map { $0...$0 }
        case 2:
            guard let first = ends[0], let last = ends[1], first <= last else { return nil }
            return first...last
        default: return nil
        }
    }

    private func value(_ text: Substring) -> Int? {
        if let index = names.firstIndex(of: String(text)) { return range.lowerBound + index }
        return number(text).flatMap { range.contains($0) ? $0 : nil }
    }

    /// Digits only: no sign, and no more than are needed.
    private func number(_ text: Substring) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}

/// What is wrong with a cron expression.
package enum CronError: Error, Sendable, Hashable, CustomStringConvertible {
    case tooLong
    /// How many fields there are instead of five.
    case fieldCount(Int)
    /// A name with `@` that means nothing.
    case nameUnknown(String)
    /// A field that can't be read, as it was written.
    case field(CronField, String)
    /// No day ever matches, for instance the 30th of February.
    case neverFires

    package var description: String {
        switch self {
        case .tooLong: "has more than \(CronExpression.lengthLimit) characters"
        case .fieldCount(let count):
            "has \(count) fields, and needs five: minute, hour, day of the month, month, weekday;"
                + " for instance «30 2 * * mon-fri»"
        case .nameUnknown(let name):
            "is «\(name)», which is none of @hourly, @daily, @weekly, @monthly and @yearly"
        case .field(let field, let text):
            "has «\(text)» as its \(field.rawValue), which allows \(field.allowed)"
        case .neverFires: "never fires: none of its months has any of its days"
        }
    }
}

extension UInt64 {
    /// Whether the bit is set.
    func has(_ number: Int) -> Bool { self & (1 << UInt64(number)) != 0 }

    /// The first number from `number` on whose bit is set; nil when there is none.
    func first(from number: Int) -> Int? {
        guard number < 64 else { return nil }
        let rest = self >> UInt64(number)
        return rest == 0 ? nil : number + rest.trailingZeroBitCount
    }
}
