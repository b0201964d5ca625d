import Waiting
import Glibc
import Testing

@testable import EventLoop

/// An actor on a loop thread, as the wrappers have them.
private actor Worker {
    nonisolated let loop: LoopThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private var sum = 0

    init(_ loop: LoopThread) { self.loop = loop }

    func add(_ number: Int) -> Int {
        loop.checkIsolated()
        sum += number
        return sum
    }
}

@Suite(.timeLimit(.minutes(1)))
struct LoopThreadTests {
    @Test func callsFromManyTasksRunOneAfterAnotherOnTheThread() async {
        let loop = LoopThread(name: "test", parking: PollParking())
        let worker = Worker(loop)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask { for _ in 0..<200 { _ = await worker.add(1) } }
            }
        }
        #expect(await worker.add(0) == 10_000)
        #expect(loop.isIsolatingCurrentContext() == false)
        loop.stop()
    }

    @Test func callsDuringAndAfterTheEndAreStillAnswered() async {
        for _ in 0..<50 {
            let loop = LoopThread(name: "test", parking: PollParking())
            let worker = Worker(loop)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { for _ in 0..<25 { _ = await worker.add(1) } }
                }
                loop.stop()
            }
            #expect(await worker.add(1) == 101)
            #expect(await worker.add(1) == 102)
        }
    }

    @Test func theTurnHandlerRunsOnTheThreadAsOftenAsItAsks() async throws {
        let loop = LoopThread(name: "test", parking: PollParking())
        let turns = AsyncStream.makeStream(of: Bool.self)
        loop.onTurn { [weak loop] in
            turns.continuation.yield(loop?.isIsolatingCurrentContext() == true)
            return 1
        }
        var seen = 0
        for await isOnThread in turns.stream {
            #expect(isOnThread)
            seen += 1
            if seen == 20 { break }
        }
        loop.onTurn(nil)
        loop.stop()
    }

    @Test func aThreadThatIsHeldUpShowsAndProgressEndsIt() async throws {
        let loop = LoopThread(name: "test", parking: PollParking())
        let latch = Latch()
        let held = Worker(loop)
        loop.onTurn {
            latch.wait()
            return 1_000
        }
        try await eventually("it shows") { loop.millisecondsSinceTurn >= 100 }
        loop.progressed()
        #expect(loop.millisecondsSinceTurn < 100)
        latch.open()
        #expect(await held.add(1) == 1)
        loop.stop()
    }
}
