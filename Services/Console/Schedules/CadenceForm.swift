import Operations

/// How often something is to be due, as a form asks: by a simple choice, or by a cron expression.
struct CadenceForm: Sendable {
    enum Rhythm: String, Sendable, CaseIterable {
        case daily, workdays, weekly, monthly, cron

        var label: String {
            switch self {
            case .daily: "every day"
            case .workdays: "Monday to Friday"
            case .weekly: "once a week"
            case .monthly: "once a month"
            case .cron: "by a cron expression"
            }
        }
    }

    /// The names of the weekdays, by the numbers that cron has for them.
    static let weekdays = [
        (1, "Monday"), (2, "Tuesday"), (3, "Wednesday"), (4, "Thursday"), (5, "Friday"), (6, "Saturday"),
        (0, "Sunday"),
    ]
    /// The days that every month has.
    static let days = 1...28

    let rhythm: Rhythm
    /// For instance «02:30».
    let time: String
    let weekday: Int
    let day: Int
    let cron: String
    let zone: String

    init(_ form: FormBody) {
        rhythm = form["rhythm"].flatMap(Rhythm.init) ?? .daily
        time = form["time"] ?? "02:30"
        weekday = form["weekday"].flatMap { Int($0) } ?? 1
        day = form["day"].flatMap { Int($0) } ?? 1
        cron = form["cron"] ?? ""
        zone = form["time_zone"] ?? "UTC"
    }

    /// Everything that is wrong, each thing a sentence.
    struct Problems: Error, Hashable {
        let sentences: [String]
    }

    func cadence() throws(Problems) -> Cadence {
        var problems: [String] = []
        var expression: CronExpression?
        if let text = expressionText {
            do { expression = try CronExpression(text) } catch {
                problems.append("The cron expression \(error.description).")
            }
        } else {
            problems.append("The time of the day must be hours and minutes, for instance 02:30.")
        }
        let zone = ScheduleZone(zone)
        if zone == nil {
            problems.append(
                "There is no time zone of this name. Take an IANA name, for instance Europe/Zurich or UTC.")
        }
        guard let expression, let zone else { throw Problems(sentences: problems) }
        return Cadence(expression, in: zone)
    }

    /// Nil when the time of the day is none.
    private var expressionText: String? {
        if rhythm == .cron { return cron }
        // Some browsers add the seconds.
        let parts = time.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), let hour = Int(parts[0]), let minute = Int(parts[1]),
            (0...23).contains(hour), (0...59).contains(minute)
        else { return nil }
        return switch rhythm {
        case .daily, .cron: "\(minute) \(hour) * * *"
        case .workdays: "\(minute) \(hour) * * 1-5"
        case .weekly: "\(minute) \(hour) * * \(weekday)"
        case .monthly: "\(minute) \(hour) \(day) * *"
        }
    }
}
