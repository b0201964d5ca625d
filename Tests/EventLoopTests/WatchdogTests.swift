import Glibc
import Synchronization
import Testing

@testable import EventLoop

@Suite(.timeLimit(.minutes(1)))
struct WatchdogTests {
    private func pair() throws -> (Int32, Int32) {
        var descriptors: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &descriptors) == 0)
        return (descriptors[0], descriptors[1])
    }

    @Test func aReadThatNeverReturnsIsEnded() async throws {
        let (mine, theirs) = try pair()
        let loop = LoopThread(name: "test", parking: PollParking())
        let ticket = Watchdog.shared.watch(mine, of: loop, limitMilliseconds: 200)
        let count = await withCheckedContinuation { continuation in
            let once = Mutex<CheckedContinuation<Int, Never>?>(continuation)
            loop.onTurn {
                var byte: UInt8 = 0
                let waiter = once.withLock { waiter in
                    defer { waiter = nil }
                    return waiter
                }
                // Nobody ever writes.
                if let waiter { waiter.resume(returning: read(mine, &byte, 1)) }
                return 1_000
            }
        }
        #expect(count == 0, "the read ended as if the peer had closed")
        Watchdog.shared.release(ticket)
        loop.onTurn(nil)
        loop.stop()
        close(mine)
        close(theirs)
    }

    @Test func afterReleaseAndForAnotherSocketWithTheSameNumberNothingHappens() async throws {
        let (mine, theirs) = try pair()
        let stuck = LoopThread(name: "test", parking: PollParking())
        let latch = Latch()
        stuck.onTurn {
            latch.wait()
            return 1_000
        }
        let ticket = Watchdog.shared.watch(mine, of: stuck, limitMilliseconds: 1)
        // The library closes its descriptor; the next socket gets the same number.
        let (reused, other) = try pair()
        #expect(dup2(reused, mine) == mine)
        // The guarded socket is shut down, which its peer sees; the one with the reused number is not.
        var byte: UInt8 = 7
        #expect(read(theirs, &byte, 1) == 0)
        #expect(write(other, &byte, 1) == 1)
        #expect(read(mine, &byte, 1) == 1)
        Watchdog.shared.release(ticket)
        latch.open()
        stuck.onTurn(nil)
        stuck.stop()
        for descriptor in [mine, theirs, reused, other] { close(descriptor) }
    }

    @Test func aLoopThatComesRoundKeepsItsSocket() async throws {
        let (mine, theirs) = try pair()
        let loop = LoopThread(name: "test", parking: PollParking())
        loop.onTurn { 10 }
        let ticket = Watchdog.shared.watch(mine, of: loop, limitMilliseconds: 900)
        // Sockets of a loop that is stuck tell when the watchdog has looked: the second one falls in a look that began
        // after the first has fallen.
        let stuck = LoopThread(name: "stuck", parking: PollParking())
        let latch = Latch()
        stuck.onTurn {
            latch.wait()
            return 1_000
        }
        var byte: UInt8 = 7
        for _ in 0..<2 {
            let (guarded, peer) = try pair()
            let fall = Watchdog.shared.watch(guarded, of: stuck, limitMilliseconds: 900)
            #expect(read(peer, &byte, 1) == 0)
            Watchdog.shared.release(fall)
            close(guarded)
            close(peer)
        }
        #expect(write(theirs, &byte, 1) == 1)
        #expect(read(mine, &byte, 1) == 1)
        Watchdog.shared.release(ticket)
        latch.open()
        for loop in [loop, stuck] {
            loop.onTurn(nil)
            loop.stop()
        }
        close(mine)
        close(theirs)
    }
}
