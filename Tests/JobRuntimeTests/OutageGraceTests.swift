import Testing

@testable import JobRuntime

struct OutageGraceTests {
    @Test func leasesAreJudgedAtOnceAndAllTheTimeWhileTheDatabaseAnswers() {
        var grace = OutageGrace()
        let start = ContinuousClock.now
        for second in 0..<100 {
            let now = start.advanced(by: .seconds(second))
            #expect(grace.mayJudge(at: now))
            grace.answered(at: now)
        }
    }

    @Test func afterAnOutageWorkersGetTheTimeOfARenewal() {
        var grace = OutageGrace()
        let start = ContinuousClock.now
        grace.answered(at: start)
        let back = start.advanced(by: OutageGrace.outage + .milliseconds(1))
        #expect(!grace.mayJudge(at: back))
        grace.answered(at: back)
        let end = back.advanced(by: OutageGrace.grace)
        var now = back
        while now < end {
            #expect(!grace.mayJudge(at: now))
            grace.answered(at: now)
            now = now.advanced(by: .seconds(1))
        }
        #expect(grace.mayJudge(at: end))
        grace.answered(at: end)
        #expect(grace.mayJudge(at: end.advanced(by: .seconds(1))))
    }

    @Test func anOutageWithinTheGraceBeginsItAnew() {
        var grace = OutageGrace()
        let start = ContinuousClock.now
        grace.answered(at: start)
        grace.answered(at: start.advanced(by: .seconds(10)))
        grace.answered(at: start.advanced(by: .seconds(20)))
        #expect(!grace.mayJudge(at: start.advanced(by: .seconds(25))))
        grace.answered(at: start.advanced(by: .seconds(25)))
        #expect(!grace.mayJudge(at: start.advanced(by: .seconds(30))))
    }
}
