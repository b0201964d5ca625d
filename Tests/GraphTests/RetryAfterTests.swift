import Testing

@testable import Graph

@Suite struct RetryAfterTests {
    /// 2026-11-21 08:15:00 UTC.
    static let now = 1_795_248_900.0

    static let headers: [(String?, Double?)] = [
        (nil, nil), ("", nil), (" ", nil), ("0", 0), ("7", 7), (" 120 ", 120), ("1.5", 1.5),
        ("999999", 86_400), ("-1", nil), ("+5", nil), ("1e3", nil), ("nan", nil), ("inf", nil), ("0x10", nil),
        ("99999999999999999999", nil), ("soon", nil), ("7 seconds", nil),
        ("Sat, 21 Nov 2026 08:15:30 GMT", 30), ("Sat, 21 Nov 2026 08:14:00 GMT", 0),
        ("Sun, 21 Nov 2027 08:15:00 GMT", 86_400), ("Sat, 21 Nov 2026 08:15:30 CET", nil),
        ("2026-11-21T08:15:30Z", nil),
    ]

    @Test(arguments: headers) func forms(_ header: String?, _ expected: Double?) {
        #expect(RetryAfter.seconds(header, date: nil, now: Self.now) == expected)
    }

    @Test func datesCountFromTheAnswersOwnDate() {
        let answer = "Sat, 21 Nov 2026 08:00:00 GMT"
        #expect(RetryAfter.seconds("Sat, 21 Nov 2026 08:00:10 GMT", date: answer, now: Self.now) == 10)
        #expect(RetryAfter.seconds("Sat, 21 Nov 2026 08:15:10 GMT", date: "broken", now: Self.now) == 10)
    }

    static let dates: [(String, Double?)] = [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799), ("Fri, 31 Dec 1999 23:59:59 GMT", 946_684_799),
        ("Sat, 21 Nov 2026 08:15:00 GMT", now), ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ("Sat, 21 Nov 2026 24:15:00 GMT", nil), ("Sat, 00 Nov 2026 08:15:00 GMT", nil),
        ("Sat, 21 nov 2026 08:15:00 GMT", nil), ("Sat, 21 Nov 1969 08:15:00 GMT", nil),
        ("Sat. 21 Nov 2026 08:15:00 GMT", nil), ("1234567890123456789012345678 ", nil),
        ("Sat, +1 Nov 2026 08:15:00 GMT", nil),
    ]

    @Test(arguments: dates) func httpDates(_ text: String, _ expected: Double?) {
        #expect(HTTPDate.seconds(text) == expected)
    }
}
