import Waiting
import Logging
import Synchronization
import Testing

@testable import ServiceKit

@Suite struct ReadinessTests {
    struct Broken: Error {}

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A check that waits until it is let go.
    final class Latch: Sendable {
        private let state = Mutex((runs: 0, waiting: [CheckedContinuation<Void, Never>]()))

        var runs: Int { state.withLock { $0.runs } }

        func wait() async {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    state.runs += 1
                    state.waiting.append(continuation)
                }
            }
        }

        func open() {
            state.withLock { state in
                for continuation in state.waiting { continuation.resume() }
                state.waiting = []
            }
        }
    }

    @Test func isReadyWhenAllChecksAre() async {
        let none = await Readiness([], logger: Self.quiet).report()
        #expect(none.isReady && none.results.isEmpty)
        let good = ReadinessCheck("good") {}
        let bad = ReadinessCheck("bad") { throw Broken() }
        let both = await Readiness([good, bad], logger: Self.quiet).report()
        #expect(!both.isReady)
        #expect(
            both.results.map(\.name) == ["good", "bad"] && both.results.map(\.outcome) == [.ok, .failed])
        #expect(await Readiness([good], logger: Self.quiet).report().isReady)
    }

    @Test func aSlowCheckFailsAlone() async {
        let slow = ReadinessCheck("slow", limit: .milliseconds(50)) { await forever() }
        let report = await Readiness([slow, ReadinessCheck("good") {}], logger: Self.quiet).report()
        #expect(report.results.map(\.outcome) == [.timedOut, .ok])
        #expect(report.results[0].milliseconds >= 50)
    }

    @Test func aCheckThatHangsIsNotStartedAgain() async {
        let latch = Latch()
        let hanging = ReadinessCheck("hanging", limit: .milliseconds(20)) { await latch.wait() }
        let readiness = Readiness([hanging], freshFor: .zero, logger: Self.quiet)
        for _ in 0..<3 { #expect(await readiness.report().results.map(\.outcome) == [.timedOut]) }
        #expect(latch.runs == 1)
        latch.open()
        let deadline = ContinuousClock.now + .seconds(10)
        while latch.runs == 1, ContinuousClock.now < deadline { _ = await readiness.report() }
        #expect(latch.runs == 2)
        latch.open()
    }

    @Test func resultsServeManyAskers() async {
        let runs = Mutex(0)
        let check = ReadinessCheck("counted") { runs.withLock { $0 += 1 } }
        let readiness = Readiness([check], freshFor: .seconds(60), logger: Self.quiet)
        await withTaskGroup { group in
            for _ in 0..<50 { group.addTask { _ = await readiness.report() } }
        }
        #expect(runs.withLock { $0 } == 1)
    }

    @Test func aStoppingServiceIsNotReady() async {
        let readiness = Readiness([ReadinessCheck("good") {}], logger: Self.quiet)
        #expect(await readiness.report().isReady)
        await readiness.stop()
        let report = await readiness.report()
        #expect(!report.isReady && report.isStopping)
    }
}
