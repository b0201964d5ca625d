import FoundationEssentials

/// Times as PostgreSQL counts them: microseconds since the start of 2000, UTC.
enum PostgresTime {
    /// From 2000-01-01 to 2001-01-01, where `Date` counts from.
    private static let secondsToReferenceDate = 366.0 * 86_400

    static func date(microseconds: Int64) -> Date {
        // Whole seconds and the rest apart: one division of a large count would lose the last digits.
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let whole = Double(seconds) - secondsToReferenceDate
        return Date(timeIntervalSinceReferenceDate: whole + Double(rest) / 1_000_000)
    }

    /// `nil` when the date is not finite or beyond what 64 bits hold.
    static func microseconds(_ date: Date) -> Int64? {
        let interval = date.timeIntervalSinceReferenceDate
        guard interval.isFinite, abs(interval) < 9e11 else { return nil }
        let whole = interval.rounded(.down)
        let rest = ((interval - whole) * 1_000_000).rounded()
        return (Int64(whole) + Int64(secondsToReferenceDate)) * 1_000_000 + Int64(rest)
    }
}

/// A point in time on the proleptic Gregorian calendar, UTC.
struct CivilTime {
    let year: Int
    let month: Int
    let day: Int
    /// Second of the day, 0 to 86,399.
    let second: Int
    let microsecond: Int

    /// `nil` outside of the years 1 to 9999, which have another text form.
    init?(_ date: Date) {
        guard let total = PostgresTime.microseconds(date) else { return nil }
        let microsecondsADay: Int64 = 86_400_000_000
        let dayNumber = (total - (total < 0 ? microsecondsADay - 1 : 0)) / microsecondsADay
        let rest = Int(total - dayNumber * microsecondsADay)
        second = rest / 1_000_000
        microsecond = rest % 1_000_000
        // Howard Hinnant's civil calendar, in 400-year eras that start on March 1st of year 0;
        // 2000-01-01 is day 730,425 of it.
        let shifted = Int(dayNumber) + 730_425
        guard shifted >= 0 else { return nil }
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        guard (1...9_999).contains(year) else { return nil }
    }
}
