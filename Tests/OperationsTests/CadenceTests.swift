import Foundation
import SeededRandom
import Testing

@testable import Operations

@Suite("Cadence")
struct CadenceTests {
    private static func cadence(_ text: String, _ zone: String = "UTC") throws -> Cadence {
        Cadence(try CronExpression(text), in: try #require(ScheduleZone(zone)))
    }

    private static func date(_ text: String) throws -> Date {
        try #require(try? Date(text, strategy: .iso8601))
    }

    /// Due moments between two, each as text in UTC.
    private static func due(
        _ text: String, _ zone: String, from: String, to: String
    ) throws -> [String] {
        let cadence = try cadence(text, zone)
        let end = try date(to)
        var moments: [String] = []
        var moment = cadence.next(after: try date(from).addingTimeInterval(-1))
        while moment <= end {
            moments.append(moment.formatted(.iso8601))
            moment = cadence.next(after: moment)
        }
        return moments
    }

    @Test("a local time that does not exist is due at the first moment after the gap")
    func gap() throws {
        // 2026-03-29, Zurich: 02:00 becomes 03:00 at 01:00 UTC.
        let days = try Self.due(
            "30 2 * * *", "Europe/Zurich", from: "2026-03-28T00:00:00Z", to: "2026-03-30T23:00:00Z")
        #expect(days == ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"])
        let quarters = try Self.due(
            "*/15 * * * *", "Europe/Zurich", from: "2026-03-29T00:30:00Z", to: "2026-03-29T01:30:00Z")
        #expect(
            quarters == [
                "2026-03-29T00:30:00Z", "2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z",
                "2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z",
            ])
    }

    @Test("a local time that exists twice is due once, at the first")
    func overlap() throws {
        // 2026-10-25, Zurich: 03:00 becomes 02:00 at 01:00 UTC.
        let days = try Self.due(
            "30 2 * * *", "Europe/Zurich", from: "2026-10-24T00:00:00Z", to: "2026-10-26T23:00:00Z")
        #expect(days == ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"])
        let hours = try Self.due(
            "0 * * * *", "Europe/Zurich", from: "2026-10-25T00:00:00Z", to: "2026-10-25T03:00:00Z")
        #expect(hours == ["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"])
        // Asked within the second of the two hours, it does not go back.
        let after = try Self.cadence("30 2 * * *", "Europe/Zurich").next(
            after: Self.date("2026-10-25T01:10:00Z"))
        #expect(after == (try Self.date("2026-10-26T01:30:00Z")))
    }

    @Test("a day that a zone left out, a half-hour change, and midnight itself")
    func oddities() throws {
        // Samoa left out the whole of 2011-12-30.
        let apia = try Self.due(
            "0 12 * * *", "Pacific/Apia", from: "2011-12-29T12:00:00Z", to: "2012-01-01T00:00:00Z")
        #expect(
            apia == [
                "2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z",
                "2011-12-31T22:00:00Z",
            ])
        // Lord Howe moves by half an hour: 02:00 becomes 02:30 at 15:30 UTC.
        let howe = try Self.due(
            "15 2 * * *", "Australia/Lord_Howe", from: "2026-10-03T00:00:00Z", to: "2026-10-04T23:00:00Z")
        #expect(howe == ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"])
        // Beirut's clocks change at midnight: 00:00 does not exist.
        let beirut = try Self.due(
            "0 0 * * *", "Asia/Beirut", from: "2026-03-28T00:00:00Z", to: "2026-03-30T00:00:00Z")
        #expect(beirut == ["2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"])
    }

    @Test("leap days, the ends of months and years, and either-day")
    func calendar() throws {
        func next(_ text: String, _ from: String) throws -> String {
            try Self.cadence(text).next(after: Self.date(from)).formatted(.iso8601)
        }
        #expect(try next("0 0 29 2 *", "2026-01-01T00:00:00Z") == "2028-02-29T00:00:00Z")
        #expect(try next("0 0 29 2 *", "2096-03-01T00:00:00Z") == "2104-02-29T00:00:00Z")
        #expect(try next("0 0 31 * *", "2026-01-31T00:00:00Z") == "2026-03-31T00:00:00Z")
        #expect(try next("59 23 31 12 *", "2026-12-31T23:59:00Z") == "2027-12-31T23:59:00Z")
        #expect(try next("* * * * *", "2026-12-31T23:59:59Z") == "2027-01-01T00:00:00Z")
        // Friday, or the 13th.
        #expect(try next("0 0 13 * fri", "2026-11-20T00:00:00Z") == "2026-11-27T00:00:00Z")
        #expect(try next("0 0 13 * fri", "2026-12-11T12:00:00Z") == "2026-12-13T00:00:00Z")
    }

    /// The oracle goes minute by minute over the moments that exist and looks at the clock on the wall with
    /// Foundation's own calendar. It knows neither of offsets nor of jumping ahead.
    @Test("as often and when a walk minute by minute says", arguments: 0..<160)
    func oracle(_ seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let zones = [
            "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "UTC",
            "America/Santiago", "Africa/Casablanca", "Asia/Beirut", "America/St_Johns",
        ]
        let zone = zones[Int(random.next() % UInt64(zones.count))]
        func field(_ range: ClosedRange<Int>, _ random: inout SplitMix) -> String {
            func number(_ random: inout SplitMix) -> Int {
                range.lowerBound + Int(random.next() % UInt64(range.count))
            }
            switch random.next() % 5 {
            case 0, 1: return "*"
            case 2: return "*/\(1 + Int(random.next() % UInt64(range.upperBound - 1)))"
            case 3: return "\(number(&random)),\(number(&random))"
            default:
                let ends = [number(&random), number(&random)].sorted()
                return "\(ends[0])-\(ends[1])/\(1 + random.next() % 3)"
            }
        }
        let text = [
            field(0...59, &random), field(0...23, &random), field(1...28, &random), field(1...12, &random),
            field(0...6, &random),
        ].joined(separator: " ")
        let cadence = try Self.cadence(text, zone)
        // Around a change of the clocks, in most zones.
        let starts = [
            "2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z", "2026-11-01T00:00:00Z", "2026-04-03T12:00:00Z",
        ]
        let start = try Self.date(starts[Int(random.next() % 4)])
        let minutes = 5 * 1_440
        var expected: [Date] = []
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone)!
        let fields = text.split(separator: " ").map(String.init)
        // The latest that the clock has shown, as days and minutes: what it shows again does not count.
        var shown = Self.wall(start.addingTimeInterval(-86_400 * 2), calendar)
        for minute in (-2 * 1_440)..<minutes {
            let moment = start.addingTimeInterval(Double(minute) * 60)
            let wall = Self.wall(moment, calendar)
            defer { shown = max(shown, wall) }
            guard minute > 0, wall > shown else { continue }
            // What the clock jumped over is due now.
            if ((shown + 1)...wall).contains(where: { Self.matches(fields, wall: $0) }) {
                expected.append(moment)
            }
        }
        var found: [Date] = []
        var moment = cadence.next(after: start)
        while moment < start.addingTimeInterval(Double(minutes) * 60) {
            found.append(moment)
            moment = cadence.next(after: moment)
        }
        #expect(found == expected, "\(text) in \(zone) from \(start.formatted(.iso8601))")
    }

    /// Minutes of the wall clock since the start of 1970.
    private static func wall(_ date: Date, _ calendar: Calendar) -> Int {
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute], from: date)
        var utc = Calendar(identifier: .gregorian)
        utc.timeZone = .gmt
        return Int(utc.date(from: parts)!.timeIntervalSince1970) / 60
    }

    private static func matches(_ fields: [String], wall: Int) -> Bool {
        var utc = Calendar(identifier: .gregorian)
        utc.timeZone = .gmt
        let parts = utc.dateComponents(
            [.month, .day, .hour, .minute, .weekday], from: Date(timeIntervalSince1970: Double(wall) * 60))
        func holds(_ index: Int, _ value: Int, _ lowest: Int) -> Bool {
            fields[index].split(separator: ",").contains { part in
                let halves = part.split(separator: "/")
                let step = halves.count == 2 ? Int(halves[1])! : 1
                if halves[0] == "*" { return (value - lowest) % step == 0 }
                let ends = halves[0].split(separator: "-").map { Int($0)! }
                return value >= ends[0] && value <= ends.last! && (value - ends[0]) % step == 0
            }
        }
        guard holds(0, parts.minute!, 0), holds(1, parts.hour!, 0), holds(3, parts.month!, 1) else {
            return false
        }
        let (day, weekday) = (holds(2, parts.day!, 1), holds(4, parts.weekday! - 1, 0))
        return fields[2].hasPrefix("*") || fields[4].hasPrefix("*") ? day && weekday : day || weekday
    }

    @Test("of what was missed the latest is fired, and the others are counted")
    func missed() throws {
        func moments(_ text: String, due: String, now: String) throws -> DueMoments {
            DueMoments(of: try Self.cadence(text), due: try Self.date(due), now: try Self.date(now))
        }
        let onTime = try moments("0 2 * * *", due: "2026-11-20T02:00:00Z", now: "2026-11-20T02:00:01Z")
        #expect(onTime.latest == (try Self.date("2026-11-20T02:00:00Z")))
        #expect(onTime.missed == 0)
        #expect(onTime.next == (try Self.date("2026-11-21T02:00:00Z")))
        let week = try moments("0 2 * * *", due: "2026-11-13T02:00:00Z", now: "2026-11-20T01:59:59Z")
        #expect(week.latest == (try Self.date("2026-11-19T02:00:00Z")))
        #expect(week.missed == 6)
        let year = try moments("* * * * *", due: "2025-11-20T00:00:00Z", now: "2026-11-20T00:00:30Z")
        #expect(year.latest == (try Self.date("2026-11-20T00:00:00Z")))
        #expect(year.missed == DueMoments.countLimit)
        let rare = try moments("0 0 1 1 *", due: "2020-01-01T00:00:00Z", now: "2026-11-20T00:00:30Z")
        #expect(rare.latest == (try Self.date("2026-01-01T00:00:00Z")))
        #expect(rare.missed == 6)
        #expect(rare.next == (try Self.date("2027-01-01T00:00:00Z")))
        #expect(rare.isTooLate)
        #expect(!onTime.isTooLate && !week.isTooLate && !year.isTooLate)
        let inTime = try moments("0 0 1 1 *", due: "2026-01-01T00:00:00Z", now: "2026-01-08T00:00:00Z")
        #expect(!inTime.isTooLate)
        let late = try moments("0 0 1 1 *", due: "2026-01-01T00:00:00Z", now: "2026-01-08T00:00:01Z")
        #expect(late.isTooLate)
    }

    @Test(
        "plain words say what the expression says, or nothing",
        arguments: [
            ("* * * * *", "every minute (UTC)"), ("*/15 * * * *", "every 15 minutes (UTC)"),
            ("0,30 * * * *", "every 30 minutes (UTC)"), ("*/7 * * * *", nil), ("1-59/2 * * * *", nil),
            ("@hourly", "every hour (UTC)"), ("5 * * * *", "every hour at minute 5 (UTC)"),
            ("0 */4 * * *", "every 4 hours (UTC)"),
            ("0 */6 * * *", "every day at 00:00, 06:00, 12:00 and 18:00 (UTC)"),
            ("0 */4 * * 6", "on Saturday every 4 hours (UTC)"), ("0 1-5 * * *", nil),
            ("30 2 * * *", "every day at 02:30 (UTC)"),
            ("30 2 * * mon-fri", "Monday to Friday at 02:30 (UTC)"),
            ("0 7,19 * * *", "every day at 07:00 and 19:00 (UTC)"),
            ("0 0 * * 0,3", "on Wednesday and Sunday at 00:00 (UTC)"),
            ("0 0 * * 7", "on Sunday at 00:00 (UTC)"), ("0 0 * * 0-6", "every day at 00:00 (UTC)"),
            ("0 3 1,15 * *", "on day 1 and 15 of the month at 03:00 (UTC)"),
            ("0 3 1 * mon", nil), ("0 3 */2 * mon", nil), ("@yearly", nil), ("0 3 * 2-12 *", nil),
            ("*/15 * * * mon-fri", "Monday to Friday every 15 minutes (UTC)"),
        ] as [(String, String?)])
    func words(_ text: String, _ words: String?) throws {
        #expect(try Cadence(CronExpression(text), in: #require(ScheduleZone("UTC"))).words == words)
    }

    @Test(
        "zones are IANA names",
        arguments: [
            ("UTC", true), ("Europe/Zurich", true), ("Asia/Kolkata", true),
            ("America/Argentina/Buenos_Aires", true),
            ("Etc/UTC", true), ("PST", false), ("GMT+3", false), ("+03:00", false), ("Europe/Nowhere", false),
            ("", false), ("../etc/passwd", false), ("europe/zurich", false),
        ])
    func zones(_ name: String, _ isZone: Bool) { #expect((ScheduleZone(name) != nil) == isZone) }
}
