import Curl
import FoundationEssentials
import Testing

@testable import Notifier

struct DeliveryScheduleTests {
    private let schedule = DeliverySchedule.webhooks

    @Test func `ten tries: at once, then 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, then none`() {
        let delays = (0...10).map { schedule.delay(after: $0, retryAfterSeconds: nil, random: 0) }
        #expect(
            delays == [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, nil])
    }

    @Test(arguments: 1...9)
    func `jitter makes a delay longer by a fifth at most, never shorter`(attempt: Int) throws {
        let least = try #require(schedule.delay(after: attempt, retryAfterSeconds: nil, random: 0))
        let half = try #require(schedule.delay(after: attempt, retryAfterSeconds: nil, random: 0.5))
        let most = try #require(schedule.delay(after: attempt, retryAfterSeconds: nil, random: 0.999_999))
        #expect(least == schedule.delays[attempt])
        #expect(abs(half / least - 1.1) < 0.000_1)
        #expect(most > half && most <= least * 1.2)
    }

    @Test func `what a receiver asks for counts when it is longer, up to a day`() {
        #expect(schedule.delay(after: 1, retryAfterSeconds: 60, random: 0) == 60)
        #expect(schedule.delay(after: 2, retryAfterSeconds: 60, random: 0) == 300)
        #expect(schedule.delay(after: 1, retryAfterSeconds: 1e9, random: 0) == 86_400)
    }

    @Test func `a wish does not add a try`() {
        #expect(schedule.delay(after: 10, retryAfterSeconds: 60, random: 0) == nil)
    }

    static let headers: [(text: String, seconds: Double?)] = [
        ("120", 120), ("0", 0), ("", nil), ("-5", nil), ("1.5", nil), ("soon", nil), ("9999999999", nil),
        ("Sat, 21 Nov 2026 08:15:30 GMT", 30), ("Sat, 21 Nov 2026 08:14:00 GMT", 0),
        ("Sat, 21 Nov 2026 08:15:30 GMT+1", nil), ("Sat, 21 Foo 2026 08:15:30 GMT", nil),
    ]

    @Test(arguments: headers.indices)
    func `the header is a number of seconds or a date`(index: Int) {
        let now = Date(timeIntervalSince1970: 1_795_248_900)  // Sat, 21 Nov 2026 08:15:00 GMT
        let (text, seconds) = Self.headers[index]
        let headers = HTTPHeaders([.init(name: "Retry-After", value: text)])
        #expect(headers.retryAfterSeconds(now: now) == seconds, "\(text)")
    }

    @Test func `no header asks for nothing`() {
        #expect(HTTPHeaders([]).retryAfterSeconds(now: Date(timeIntervalSince1970: 0)) == nil)
    }
}
