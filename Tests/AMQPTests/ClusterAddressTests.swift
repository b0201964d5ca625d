import Testing
import Waiting

@testable import AMQP

/// An address with several nodes: one broker by way of two proxies, each of which can be lost.
@Suite(.timeLimit(.minutes(1)))
struct ClusterAddressTests {
    @Test func theOtherNodeIsUsedWhenOneGoes() async throws {
        let queue = TestBroker.name("node-lost")
        try await withTwoNodes { nodes, address in
            try await withPublisher(.queue(queue), address: address) { publisher in
                try await eventually("published") { await publisher.publish([.to(queue)]) == [.confirmed] }
                for _ in 0..<2 {
                    // Whichever it is connected to.
                    let (lost, other) = nodes[0].isUsed ? (nodes[0], nodes[1]) : (nodes[1], nodes[0])
                    let before = other.accepted
                    lost.refuse(true)
                    lost.cut()
                    try await eventually("published by the other") {
                        await publisher.publish([.to(queue)]) == [.confirmed]
                    }
                    #expect(other.accepted == before + 1)
                    lost.refuse(false)
                }
            }
        }
    }

    @Test func aConsumerGoesToTheOtherNodeWhenItsOwnFallsSilent() async throws {
        let queue = TestBroker.name("node-silent")
        try await withPublisher(.queue(queue)) { publisher in
            // The queue is there: else the consumer would try both nodes in vain.
            try await eventually("declared") { publisher.status == .connected }
            try await withTwoNodes("?heartbeat=2") { nodes, address in
                try await withConsumer(queue, address: address) { consumer in
                    try await eventually("connected") { consumer.status == .connected }
                    let (silent, other) = nodes[0].isUsed ? (nodes[0], nodes[1]) : (nodes[1], nodes[0])
                    silent.freeze()
                    #expect(await publisher.publish([.to(queue, id: "later")]) == [.confirmed])
                    let taken = try await consumer.take(1)
                    #expect(taken.map(\.properties.id) == ["later"])
                    #expect(other.accepted == 1)
                    consumer.ack(taken.map(\.tag))
                }
            }
        }
    }

    /// What one node can't do for now, another may.
    @Test func whatANodeRefusesIsTriedAtTheNext() async throws {
        let queue = TestBroker.name("node-refuses")
        try await withPublisher(.queue(queue)) { publisher in
            #expect(await publisher.publish([.to(queue)]) == [.confirmed])
            let otherwise = Topology.queue(queue, ["x-max-length": 7])
            try await withTwoNodes { nodes, address in
                try await withPublisher(otherwise, address: address) { refused in
                    try await eventually("both were tried") { nodes.allSatisfy { $0.accepted >= 2 } }
                    guard case .disconnected(let error) = refused.status else {
                        Issue.record("status is \(refused.status)")
                        return
                    }
                    #expect(error.code == .channelClosed(406))
                }
            }
        }
    }

    /// A new channel declares the topology: what was deleted meanwhile is there again.
    @Test func afterARefusalANewChannelIsOpened() async throws {
        let (full, other) = (TestBroker.name("full"), TestBroker.name("declared-again"))
        let topology = Topology.queue(full, ["x-max-length": 1, "x-overflow": "reject-publish"])
        try await withPublisher(topology + .queue(other)) { publisher in
            #expect(await publisher.publish([.to(full)]) == [.confirmed])
            try BrokerControl.deleteQueue(other)
            #expect(await publisher.publish([.to(full)]) == [.rejected])
            var outcomes: [PublishOutcome] = []
            try await eventually("the other queue is there again") {
                outcomes = await publisher.publish([.to(other), .to(full)])
                return outcomes[0] == .confirmed
            }
            // What is published has its own answer, on whichever channel.
            #expect(outcomes == [.confirmed, .rejected])
            #expect(publisher.status == .connected)
        }
    }

    @Test func aReaderTakesTheFirstNodeThatAnswers() async throws {
        let queue = TestBroker.name("node-read")
        try await withPublisher(.queue(queue)) { publisher in
            #expect(await publisher.publish([.to(queue, id: "one")]) == [.confirmed])
            try await withTwoNodes { nodes, address in
                nodes[0].refuse(true)
                let reader = QueueReader(
                    address: address, topology: .queue(queue), queue: queue, bodyLimit: 100, name: "tests")
                let taken = try await reader.take(limit: 10)
                #expect(taken.messages.map(\.properties.id) == ["one"])
                await reader.close()
            }
        }
    }

    private func withTwoNodes(
        _ options: String = "", _ body: ([FaultyProxy], BrokerAddress) async throws -> Void
    ) async throws {
        try await withProxy { one in
            try await withProxy { two in
                let address = try TestBroker.address(throughPorts: [one.port, two.port], options)
                try await body([one, two], address)
            }
        }
    }
}
