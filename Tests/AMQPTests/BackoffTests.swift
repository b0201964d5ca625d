import Testing

@testable import AMQP

struct BackoffTests {
    @Test func delaysDoubleUpToTheLimitAndTheJitterTakesUpToHalf() {
        var longest = Backoff(firstMilliseconds: 100, limitMilliseconds: 1_000)
        var shortest = longest
        let steps = [100, 200, 400, 800, 1_000, 1_000]
        #expect(steps.map { _ in shortest.next(random: 0) } == steps.map { $0 / 2 })
        let almost = steps.map { _ in longest.next(random: 0.999) }
        #expect(zip(almost, steps).allSatisfy { $0 < $1 && $0 > $1 * 9 / 10 })
    }

    @Test func neverOverflowsAndStartsAnewAfterReset() {
        var backoff = Backoff()
        for _ in 0..<10_000 { _ = backoff.next(random: 0.5) }
        #expect(backoff.next(random: 0) == 5_000)
        backoff.reset()
        #expect(backoff.next(random: 0) == 50)
    }

    @Test func onlyAConnectionThatLivedStartsTheDelaysAnew() {
        let start = ContinuousClock.now
        let backoff = Backoff(firstMilliseconds: 100, limitMilliseconds: 1_000)
        var schedule = ReconnectSchedule(nodes: 1, first: 0, backoff: backoff)
        #expect(schedule.wait(at: start) == 0)
        #expect(schedule.failed(at: start, random: 0) == .milliseconds(50))
        #expect((1...51).contains(schedule.wait(at: start)))
        #expect(schedule.wait(at: start.advanced(by: .milliseconds(50))) == 0)

        schedule.established(at: start)
        #expect(schedule.wait(at: start) == 0)
        #expect(schedule.failed(at: start.advanced(by: .seconds(1)), random: 0) == .milliseconds(100))

        schedule.established(at: start)
        let later = start.advanced(by: ReconnectSchedule.goodLifetime)
        #expect(schedule.failed(at: later, random: 0) == .milliseconds(50))
    }

    @Test func afterEachFailureItIsTheNextNodesTurnAndTheDelaysGrowOverAllOfThem() {
        let start = ContinuousClock.now
        let backoff = Backoff(firstMilliseconds: 100, limitMilliseconds: 1_000)
        var schedule = ReconnectSchedule(nodes: 3, first: 1, backoff: backoff)
        var tried = [schedule.node]
        let delays = (0..<4).map { _ in
            let delay = schedule.failed(at: start, random: 0)
            tried.append(schedule.node)
            return delay
        }
        #expect(tried == [1, 2, 0, 1, 2])
        #expect(delays == [50, 100, 200, 400].map { .milliseconds($0) })
        schedule.established(at: start)
        #expect(schedule.node == 2)
        _ = schedule.failed(at: start.advanced(by: ReconnectSchedule.goodLifetime), random: 0)
        #expect(schedule.node == 0)
    }
}
