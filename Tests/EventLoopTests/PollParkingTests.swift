import Glibc
import Testing

@testable import EventLoop

struct PollParkingTests {
    /// Two connected sockets.
    private func pair() throws -> (Int32, Int32) {
        var descriptors: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &descriptors) == 0)
        return (descriptors[0], descriptors[1])
    }

    @Test func aWakeEndsTheNextParkAndOnlyThatOne() {
        let parking = PollParking()
        parking.wake()
        parking.wake()
        let clock = ContinuousClock()
        #expect(clock.measure { parking.park(milliseconds: 10_000) } < .seconds(5))
        #expect(clock.measure { parking.park(milliseconds: 30) } >= .milliseconds(25))
    }

    @Test func inputRoomAndHangUpAreSeen() throws {
        let parking = PollParking()
        let (mine, theirs) = try pair()
        defer { close(mine) }
        parking.watch(mine)
        parking.park(milliseconds: 0)
        #expect(parking.ready == (false, false))
        parking.watch(mine, wantsWrite: true)
        parking.park(milliseconds: 1_000)
        #expect(parking.ready == (false, true))
        var byte: UInt8 = 1
        #expect(write(theirs, &byte, 1) == 1)
        parking.watch(mine)
        parking.park(milliseconds: 1_000)
        #expect(parking.ready == (true, false))
        #expect(read(mine, &byte, 1) == 1)
        close(theirs)
        parking.park(milliseconds: 1_000)
        #expect(parking.ready.readable)
        parking.watch(nil)
        parking.park(milliseconds: 0)
        #expect(parking.ready == (false, false))
    }
}
