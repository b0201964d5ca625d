package import FoundationEssentials

/// When a schedule is due: a cron expression in a time zone.
///
/// Daylight saving: a local time that does not exist is due at the first moment after the gap; one that exists twice is
/// due once, at the first. So a daily schedule is due exactly once on every day, and one of several times an hour
/// pauses for the hour that is repeated; in `UTC` it never does.
package struct Cadence: Sendable, Hashable {
    package let expression: CronExpression
    package let zone: ScheduleZone

    package init(_ expression: CronExpression, in zone: ScheduleZone) {
        self.expression = expression
        self.zone = zone
    }

    /// The first moment after `date` at which it is due. For dates from 1971 to 9900.
    package func next(after date: Date) -> Date {
        let now = Int(date.timeIntervalSince1970.rounded(.down))
        let local = now + zone.offset(at: now)
        var day = CivilDay(sinceEpoch: local / 86_400)
        var minute = local % 86_400 / 60
        // An expression fires at least once in 400 years, on a leap day that is a certain weekday at least once in 40.
        while true {
            if expression.matches(day) {
                var time = self.time(from: minute)
                while let found = time {
                    let moment = zone.moment(showing: day.sinceEpoch * 86_400 + found * 60)
                    // What the clock showed before, when it shows it for the second time.
                    if moment > now { return Date(timeIntervalSince1970: Double(moment)) }
                    time = self.time(from: found + 1)
                }
            }
            day = following(day)
            minute = 0
        }
    }

    /// The first minute of a day, from `minute` on, at which it is due; nil when there is none.
    private func time(from minute: Int) -> Int? {
        guard var hour = expression.hours.first(from: minute / 60) else { return nil }
        if hour == minute / 60 {
            if let found = expression.minutes.first(from: minute % 60) { return hour * 60 + found }
            guard let later = expression.hours.first(from: hour + 1) else { return nil }
            hour = later
        }
        return expression.minutes.first(from: 0).map { hour * 60 + $0 }
    }

    /// The next day that is in one of the months.
    private func following(_ day: CivilDay) -> CivilDay {
        let next = CivilDay(sinceEpoch: day.sinceEpoch + 1)
        guard !expression.months.has(next.month) else { return next }
        if let month = expression.months.first(from: next.month) {
            return CivilDay(year: next.year, month: month, day: 1)
        }
        return CivilDay(year: next.year + 1, month: expression.months.first(from: 1)!, day: 1)
    }
}

/// What a schedule has to do when it is looked at: the moment that is fired, and those that were missed before it.
package struct DueMoments: Sendable, Hashable {
    /// How long after it was due a missed moment is still fired, in seconds: a week. A run long after its time is a
    /// surprise, and does nobody any good.
    package static let catchUpLimit = 7 * 86_400.0
    /// The most missed moments that are counted; there may be more.
    package static let countLimit = 1_000
    /// How far back the latest moment is looked for, in seconds: each step only when the one before found none, so that
    /// no step counts through more than there can be.
    private static let steps: [Double] = [3_600, 86_400, 32 * 86_400]

    /// The latest moment that is not after now: it is fired once, however many were missed, unless it is too late.
    package let latest: Date
    /// Whether the latest is too long ago to be fired (``catchUpLimit``).
    package let isTooLate: Bool
    /// How many due moments before it were missed, counted to ``countLimit``.
    package let missed: Int
    /// The one after now.
    package let next: Date

    /// `due`: the moment that was to be fired next. It must not be after `now`.
    package init(of cadence: Cadence, due: Date, now: Date) {
        next = cadence.next(after: now)
        var latest = due
        for step in Self.steps where now.timeIntervalSince(due) > step {
            let found = cadence.next(after: now.addingTimeInterval(-step))
            if found <= now {
                latest = found
                break
            }
        }
        while case let later = cadence.next(after: latest), later <= now { latest = later }
        self.latest = latest
        isTooLate = now.timeIntervalSince(latest) > Self.catchUpLimit
        var (missed, moment) = (0, due)
        while moment < latest, missed < Self.countLimit {
            missed += 1
            moment = cadence.next(after: moment)
        }
        self.missed = missed
    }
}
