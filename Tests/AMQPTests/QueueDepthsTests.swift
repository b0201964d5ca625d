import Testing
import Waiting

@testable import AMQP

@Suite("Looking how much waits in queues", .serialized)
struct QueueDepthsTests {
    @Test("what waits is counted and not taken, what somebody holds is not counted")
    func counting() async throws {
        let (one, other) = (TestBroker.name("depths"), TestBroker.name("depths"))
        let topology = Topology.queue(one) + Topology.queue(other)
        let depths = QueueDepths(address: try TestBroker.address(), topology: topology, name: "test")
        #expect(try await depths.look(at: [one, other]) == [one: 0, other: 0])
        _ = try await withPublisher(topology) { await $0.publish([.to(one), .to(one), .to(other)]) }
        for _ in 0..<2 { #expect(try await depths.look(at: [one, other]) == [one: 2, other: 1]) }
        try await withConsumer(one, topology) { consumer in
            _ = try await consumer.take(2)
            #expect(try await depths.look(at: [one]) == [one: 0])
        }
        try await eventually("they are given back") { try await depths.look(at: [one]) == [one: 2] }
        await depths.close()
    }

    @Test("a connection that was lost is made again by the next look")
    func losing() async throws {
        let queue = TestBroker.name("depths")
        try await withProxy { proxy in
            let depths = QueueDepths(
                address: try TestBroker.address(throughPort: proxy.port), topology: .queue(queue),
                name: "test")
            #expect(try await depths.look(at: [queue]) == [queue: 0])
            #expect(try await depths.look(at: [queue]) == [queue: 0])
            #expect(proxy.accepted == 1, "the connection is kept")
            proxy.cut()
            // The look that finds it lost may fail.
            try await eventually("it looks again") { (try? await depths.look(at: [queue])) == [queue: 0] }
            #expect(proxy.accepted == 2)
            proxy.refuse(true)
            proxy.cut()
            try await eventually("it fails while nobody answers") {
                (try? await depths.look(at: [queue])) == nil
            }
            await depths.close()
        }
    }
}
