import FoundationEssentials
import Testing

@testable import Starter

struct RateLimitTests {
    @Test func aBucketFillsSteadily() throws {
        let limit = try #require(RateLimit(perSecond: 10, burst: 20))
        let (token, start) = (UUID(), ContinuousClock.now)
        for _ in 0..<20 { #expect(limit.take(token, now: start) == nil) }
        #expect(limit.take(token, now: start) == 1)
        #expect(limit.take(token, now: start + .milliseconds(99)) == 1)
        #expect(limit.take(token, now: start + .milliseconds(101)) == nil)
        #expect(limit.take(token, now: start + .milliseconds(102)) == 1)
        // Never more than the burst, however long nothing came.
        let later = start + .seconds(1_000)
        for _ in 0..<20 { #expect(limit.take(token, now: later) == nil) }
        #expect(limit.take(token, now: later) != nil)
    }

    @Test func tokensDoNotShareABucket() throws {
        let limit = try #require(RateLimit(perSecond: 1, burst: 1))
        let now = ContinuousClock.now
        #expect(limit.take(UUID(), now: now) == nil)
        #expect(limit.take(UUID(), now: now) == nil)
    }

    @Test func manyTokensAreForgottenWhenTheirBucketIsFullAgain() throws {
        let limit = try #require(RateLimit(perSecond: 1, burst: 1))
        let now = ContinuousClock.now
        let token = UUID()
        for _ in 0..<20_000 { _ = limit.take(UUID(), now: now) }
        #expect(limit.take(token, now: now + .seconds(2)) == nil)
        #expect(limit.take(token, now: now + .seconds(2)) == 1)
        #expect(limit.count == 1)
    }

    @Test func zeroIsNoLimit() { #expect(RateLimit(perSecond: 0, burst: 0) == nil) }
}
