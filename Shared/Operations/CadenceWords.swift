extension Cadence {
    /// How often it is due in plain words, for instance «every day at 02:30 (Europe/Zurich)»; nil for what takes more
    /// words than it helps: then the expression itself is shown.
    package var words: String? {
        guard let days = expression.dayWords, let times = expression.timeWords else { return nil }
        // «every day every hour» says one thing twice.
        let isEveryDay = days == "every day" && times.hasPrefix("every")
        return "\(isEveryDay ? "" : days + " ")\(times) (\(zone.name))"
    }
}

extension CronExpression {
    /// The most times of a day that are listed.
    private static let listed = 4
    private static let weekdayNames = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]

    /// The bits of a field that does not restrict.
    private static func all(_ range: ClosedRange<Int>) -> UInt64 {
        range.reduce(0) { $0 | 1 << UInt64($1) }
    }

    /// For instance «every day», «Monday to Friday», «on Monday and Thursday», «on day 1 of the month».
    fileprivate var dayWords: String? {
        guard months == Self.all(1...12) else { return nil }
        let (anyDay, anyWeekday) = (days == Self.all(1...31), weekdays == Self.all(0...6))
        if anyDay, anyWeekday { return "every day" }
        if anyDay, !takesEitherDay {
            let numbers = (0...6).filter(weekdays.has)
            if numbers == [1, 2, 3, 4, 5] { return "Monday to Friday" }
            // A week begins on Monday.
            let names = (numbers.filter { $0 > 0 } + numbers.filter { $0 == 0 }).map { Self.weekdayNames[$0] }
            return "on " + Self.joined(names)
        }
        if anyWeekday, !takesEitherDay {
            let numbers = (1...31).filter(days.has)
            guard numbers.count <= Self.listed else { return nil }
            return "on day \(Self.joined(numbers.map { "\($0)" })) of the month"
        }
        return nil
    }

    /// For instance «at 02:30», «every 15 minutes», «every hour at minute 5».
    fileprivate var timeWords: String? {
        let (minuteList, hourList) = ((0...59).filter(minutes.has), (0...23).filter(hours.has))
        if hourList.count == 24 {
            if minuteList == [0] { return "every hour" }
            if minuteList.count == 1 { return "every hour at minute \(minuteList[0])" }
            return Self.step(minuteList, of: 60).map { $0 == 1 ? "every minute" : "every \($0) minutes" }
        }
        if minuteList == [0], hourList.count > Self.listed, let step = Self.step(hourList, of: 24) {
            return "every \(step) hours"
        }
        guard minuteList.count * hourList.count <= Self.listed else { return nil }
        let times = hourList.flatMap { hour in minuteList.map { "\(Self.two(hour)):\(Self.two($0))" } }
        return "at " + Self.joined(times)
    }

    /// The distance of numbers that come evenly from 0 on and go round; nil when they don't.
    private static func step(_ numbers: [Int], of whole: Int) -> Int? {
        guard numbers.first == 0, numbers.count > 1 else { return nil }
        let step = numbers[1]
        guard whole % step == 0, numbers == Array(stride(from: 0, to: whole, by: step)) else { return nil }
        return step
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func joined(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}
