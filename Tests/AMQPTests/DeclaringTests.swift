import Testing
import Waiting

@testable import AMQP

/// An address with `declare=false`: for a user who may not declare.
@Suite(.timeLimit(.minutes(1)))
struct DeclaringTests {
    @Test func whatIsThereIsUsedAsItIs() async throws {
        let queue = TestBroker.name("there")
        try await withPublisher(.queue(queue)) { declaring in
            #expect(await declaring.publish([.to(queue)]) == [.confirmed])
            // Declared with other arguments it would be refused (406).
            let other = Topology.queue(queue, ["x-max-length": 7])
            try await withPublisher(other, address: TestBroker.address("?declare=false")) { looking in
                #expect(await looking.publish([.to(queue)]) == [.confirmed])
            }
        }
    }

    @Test func whatIsMissingIsNotMade() async throws {
        let missing = TestBroker.name("missing")
        let topology = Topology.queue(missing)
        let address = try TestBroker.address("?declare=false")
        try await withPublisher(topology, address: address) { publisher in
            let outcomes = await publisher.publish([.to(missing)])
            let notSent = outcomes.count { $0.isNotSent }
            #expect(notSent == 1, "\(outcomes)")
        }
        let reader = QueueReader(
            address: address, topology: topology, queue: missing, bodyLimit: 1, name: "tests")
        let refusal = await #expect(throws: AMQPError.self) { try await reader.take(limit: 1) }
        #expect(refusal?.code == .channelClosed(404))
        #expect("\(try #require(refusal))".contains("looking for the queue \(missing)"))
    }
}
