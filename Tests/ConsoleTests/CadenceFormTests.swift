import Operations
import Testing

@testable import Console

/// How often something is to be due, as people choose it.
struct CadenceFormTests {
    private func form(_ fields: [String: String]) -> CadenceForm {
        CadenceForm(FormBody(pairs: fields.map { ($0.key, $0.value) }))
    }

    @Test(arguments: [
        (["rhythm": "daily", "time": "02:30"], "every day at 02:30 (UTC)"),
        (
            ["rhythm": "workdays", "time": "07:05", "time_zone": "Europe/Zurich"],
            "Monday to Friday at 07:05 (Europe/Zurich)"
        ),
        (["rhythm": "weekly", "time": "00:00:00", "weekday": "0"], "on Sunday at 00:00 (UTC)"),
        (["rhythm": "monthly", "time": "23:59", "day": "28"], "on day 28 of the month at 23:59 (UTC)"),
        (["rhythm": "cron", "cron": " */15 * * * * "], "every 15 minutes (UTC)"),
        ([:], "every day at 02:30 (UTC)"),
    ])
    func whatIsChosenIsWhenItIsDue(_ fields: [String: String], _ words: String) throws {
        #expect(try form(fields).cadence().words == words)
    }

    @Test func eachZoneThatIsOfferedIsOne() {
        let names = ScheduleZone.names
        #expect(names.count > 300 && names.first == "UTC" && names.contains("Europe/Zurich"))
        #expect(names.allSatisfy { ScheduleZone($0) != nil })
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: [
        (["time": "24:00"], ["The time of the day must be hours and minutes, for instance 02:30."]),
        (["time": "noon"], ["The time of the day must be hours and minutes, for instance 02:30."]),
        (
            ["rhythm": "cron"],
            [
                "The cron expression has 0 fields, and needs five: minute, hour, day of the month, month, weekday; for instance «30 2 * * mon-fri»."
            ]
        ),
        (
            ["rhythm": "weekly", "weekday": "9", "time_zone": "CET"],
            [
                "The cron expression has «9» as its weekday, which allows numbers from 0 to 7 or names from sun to sat, as *, lists (1,2), ranges (1-5) and steps (*/5, 10-40/5).",
                "There is no time zone of this name. Take an IANA name, for instance Europe/Zurich or UTC.",
            ]
        ),
    ])
    func whatIsWrongIsTold(_ fields: [String: String], _ problems: [String]) throws {
        #expect(throws: CadenceForm.Problems(sentences: problems)) { try form(fields).cadence() }
    }
}
