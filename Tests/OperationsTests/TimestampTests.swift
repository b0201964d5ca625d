import FoundationEssentials
import JSON
import Operations
import SeededRandom
import Testing

/// Moments as text.
struct TimestampTests {
    static let known: [(microseconds: Int, text: String)] = [
        (0, "1970-01-01T00:00:00.000000Z"), (1, "1970-01-01T00:00:00.000001Z"),
        (999_999, "1970-01-01T00:00:00.999999Z"), (86_399_999_999, "1970-01-01T23:59:59.999999Z"),
        (86_400_000_000, "1970-01-02T00:00:00.000000Z"), (68_169_600_000_000, "1972-02-29T00:00:00.000000Z"),
        (951_782_399_000_000, "2000-02-28T23:59:59.000000Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
        (951_868_800_000_000, "2000-03-01T00:00:00.000000Z"),
        (978_307_200_000_000, "2001-01-01T00:00:00.000000Z"),
        (1_000_000_000_000_000, "2001-09-09T01:46:40.000000Z"),
        (1_709_164_800_123_456, "2024-02-29T00:00:00.123456Z"),
        (1_795_251_600_000_000, "2026-11-21T09:00:00.000000Z"),
        (2_147_483_647_999_999, "2038-01-19T03:14:07.999999Z"),
        (2_147_483_648_000_001, "2038-01-19T03:14:08.000001Z"),
        (4_102_444_799_999_999, "2099-12-31T23:59:59.999999Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
    ]

    @Test(arguments: known)
    func `is written and read as`(microseconds: Int, text: String) {
        let date = Date(microseconds: microseconds)
        #expect(Timestamp(date).description == text)
        #expect(Timestamp(json: .string(text))?.date == date)
        #expect(Timestamp.json(date) == .string(text))
        #expect(date.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T09:00:00Z", "2026-11-21T09:00:00.000Z", "2026-11-21T09:00:00.0000000Z",
        "2026-11-21T09:00:00.000000", "2026-11-21T09:00:00.000000z", "2026-11-21t09:00:00.000000Z",
        "2026-11-21 09:00:00.000000Z", "2026/11/21T09:00:00.000000Z", "2026-11-21T09.00.00.000000Z",
        "2026-11-21T09:00:00,000000Z", "2026x11x21T09x00x00x000000Z", "2026-00-21T09:00:00.000000Z",
        "2026-13-21T09:00:00.000000Z", "2026-11-00T09:00:00.000000Z", "2026-11-31T09:00:00.000000Z",
        "2026-02-29T09:00:00.000000Z", "2100-02-29T09:00:00.000000Z", "2026-11-21T24:00:00.000000Z",
        "2026-11-21T09:60:00.000000Z", "2026-11-21T09:00:60.000000Z", "2026-11-21T09:00:61.000000Z",
        "+026-11-21T09:00:00.000000Z", "-026-11-21T09:00:00.000000Z", "2026-+1-21T09:00:00.000000Z",
        "2026-11-21T-9:00:00.000000Z", "2026-11-21T09:00:00.+00000Z", "2026-11-21T09:00:00.-00001Z",
        "1969-12-31T23:59:59.999999Z", "0000-01-01T00:00:00.000000Z", "２026-11-21T09:00:00.000Z",
        " 026-11-21T09:00:00.000000Z", "2026-11-21T09:00:00.00000\u{0}Z",
    ])
    func `anything else is no moment`(text: String) {
        #expect(Timestamp(json: .string(text)) == nil)
    }

    @Test func `what is no text is no moment`() {
        for json: JSON in [.null, 1_795_251_600, 1.5, [], [:], true] { #expect(Timestamp(json: json) == nil) }
    }

    @Test func `every moment of 1970 to 2099 is read back to the microsecond`() {
        var (random, seed) = SplitMix.announced(for: "moments")
        var last = (microseconds: 0, text: "")
        for _ in 0..<20_000 {
            let microseconds = Int.random(in: 0...4_102_444_799_999_999, using: &random)
            let date = Date(microseconds: microseconds)
            let text = Timestamp(date).description
            guard date.microseconds == microseconds, Timestamp(json: .string(text))?.date == date,
                (last.microseconds < microseconds) == (last.text < text)
            else {
                Issue.record("seed \(seed): \(microseconds) is \(text)")
                return
            }
            last = (microseconds, text)
        }
    }

    @Test func `every day of 1970 to 2099 follows the one before`() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var day = 0
        for year in 1970...2099 {
            for (index, length) in lengths.enumerated() {
                let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
                for dayOfMonth in 1...(length + (index == 1 && isLeap ? 1 : 0)) {
                    let text = Timestamp(Date(microseconds: day * 86_400_000_000)).description
                    let expected = [year, index + 1, dayOfMonth].map { $0 < 10 ? "0\($0)" : "\($0)" }
                    guard text == expected.joined(separator: "-") + "T00:00:00.000000Z" else {
                        Issue.record("day \(day) is \(text)")
                        return
                    }
                    day += 1
                }
            }
        }
    }

    @Test func `a moment is rounded to the nearest microsecond`() {
        let date = Date(timeIntervalSince1970: 1_000.000_000_7)
        #expect(Timestamp(date).description == "1970-01-01T00:16:40.000001Z")
        #expect(Timestamp(date).date == Date(microseconds: 1_000_000_001))
    }
}
