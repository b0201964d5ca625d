import FoundationEssentials
import Testing

@testable import Operations

@Suite struct TimesTests {
    private static let now = Date(timeIntervalSince1970: 1_795_260_000)

    private func times(isExact: Bool = false, zone: Int = 0) -> Times {
        Times(now: Self.now, isExact: isExact, zone: { _ in zone })
    }

    @Test(
        arguments: [
            (0.0, "just now"), (4.9, "just now"), (-3, "just now"), (5, "5 seconds ago"),
            (59.9, "59 seconds ago"),
            (60, "1 minute ago"), (3_599, "59 minutes ago"), (3_600, "1 hour ago"), (7_200, "2 hours ago"),
            (86_400, "1 day ago"), (59 * 86_400, "59 days ago"), (-60, "in 1 minute"), (-7_200, "in 2 hours"),
        ] as [(Double, String)])
    func relative(secondsAgo: Double, text: String) {
        #expect(times().text(Self.now.addingTimeInterval(-secondsAgo)) == text)
    }

    @Test func whatIsLongAgoIsTold_byItsDate() {
        #expect(times().text(Self.now.addingTimeInterval(-61 * 86_400)) == "2026-09-21 11:20:00 UTC")
    }

    @Test(arguments: [
        (0, "2026-11-21 11:20:00 UTC"), (3_600, "2026-11-21 12:20:00 +01:00"),
        (-12_600, "2026-11-21 07:50:00 -03:30"), (46_800, "2026-11-22 00:20:00 +13:00"),
    ])
    func exactNamesTheZone(zone: Int, text: String) {
        #expect(times(isExact: true, zone: zone).text(Self.now) == text)
    }

    @Test func bothWaysWithMilliseconds() {
        let moment = Self.now.addingTimeInterval(-60.75)
        #expect(times().both(moment) == "1 minute ago (2026-11-21 11:18:59.250 UTC)")
    }

    @Test(
        arguments: [
            (0.04, "0 s"), (1.26, "1.3 s"), (12.4, "12 s"), (60, "1 min"), (184, "3 min 4 s"),
            (3_600, "1 h"),
            (7_500, "2 h 5 min"), (-1, "0 s"), (2, "2 s"), (9.96, "10 s"),
        ] as [(Double, String)])
    func lengths(seconds: Double, text: String) {
        #expect(Presentation.length(seconds) == text)
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1,000"), (20_000, "20,000"), (1_234_567, "1,234,567"),
        (-1_500, "-1,500"),
    ])
    func thousandsAreApart(number: Int, text: String) {
        #expect(Presentation.grouped(number) == text)
    }
}
