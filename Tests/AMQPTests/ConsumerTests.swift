import Waiting
import Foundation
import Testing

@testable import AMQP

@Suite(.timeLimit(.minutes(2)))
struct ConsumerTests {
    @Test func deliveriesKeepTheirOrderAndAcknowledgedOnesAreGone() async throws {
        let queue = TestBroker.name("order")
        try await withPublisher(.queue(queue)) { publisher in
            let ids = (0..<1_000).map(String.init)
            #expect(await publisher.publish(ids.map { .to(queue, id: $0) }).allSatisfy(\.isConfirmed))
            try await withConsumer(queue, prefetch: 50) { consumer in
                var received: [String] = []
                for await burst in consumer.bursts {
                    #expect(burst.count <= 50)
                    received += burst.compactMap(\.properties.id)
                    consumer.ack(burst.map(\.tag))
                    if received.count == 1_000 { break }
                }
                #expect(received == ids)
            }
            #expect(await publisher.publish([.to(queue, id: "last")]) == [.confirmed])
            try await withConsumer(queue) { consumer in
                let left = try await consumer.take(1)
                #expect(left[0].properties.id == "last")
            }
        }
    }

    @Test func settlementsInAnyOrderReachTheBroker() async throws {
        let queue = TestBroker.name("any-order")
        try await withPublisher(.queue(queue)) { publisher in
            _ = await publisher.publish((0..<200).map { .to(queue, id: "\($0)") })
            try await withConsumer(queue, prefetch: 200) { consumer in
                let deliveries = try await consumer.take(200)
                for delivery in deliveries.shuffled() where delivery.properties.id != "77" {
                    consumer.ack([delivery.tag])
                }
                // Again, and for a session that never was: neither may close the channel.
                consumer.ack(deliveries.filter { $0.properties.id == "3" }.map(\.tag))
                consumer.nack([DeliveryTag(session: 99, number: 78)], requeue: false)
            }
            try await withConsumer(queue, prefetch: 200) { consumer in
                let left = try await consumer.take(1)
                #expect(left[0].properties.id == "77")
                #expect(left[0].redelivered)
                #expect(await publisher.publish([.to(queue, id: "next")]) == [.confirmed])
                #expect(try await consumer.take(1).first?.properties.id == "next")
            }
        }
    }

    @Test func nackRequeuesOrDeadLetters() async throws {
        let queue = TestBroker.name("nack")
        let dead = TestBroker.name("dead")
        let topology =
            Topology.queue(dead)
            + .queue(queue, ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(dead)])
        try await withPublisher(topology) { publisher in
            _ = await publisher.publish([.to(queue, id: "again"), .to(queue, id: "never")])
            try await withConsumer(queue) { consumer in
                let first = try await consumer.take(2)
                consumer.nack([first[0].tag], requeue: true)
                consumer.nack([first[1].tag], requeue: false)
                let second = try await consumer.take(1)
                #expect(second[0].properties.id == "again")
                #expect(second[0].redelivered)
                consumer.ack(second.map(\.tag))
            }
            try await withConsumer(dead) { consumer in
                let delivery = try await consumer.take(1)[0]
                #expect(delivery.properties.id == "never")
                let death = delivery.headers["x-death"]?.array?.first?.table
                #expect(death?["queue"] == .string(queue))
                #expect(death?["reason"] == "rejected")
                #expect(death?["count"] == 1)
            }
        }
    }

    @Test func aQuorumQueueDeadLettersAfterItsDeliveryLimit() async throws {
        let queue = TestBroker.name("quorum")
        let dead = TestBroker.name("quorum-dead")
        let topology =
            Topology.queue(dead, ["x-queue-type": "quorum"])
            + .queue(
                queue,
                [
                    "x-queue-type": "quorum", "x-delivery-limit": 2, "x-dead-letter-exchange": "",
                    "x-dead-letter-routing-key": .string(dead), "x-dead-letter-strategy": "at-least-once",
                    "x-overflow": "reject-publish",
                ])
        try await withPublisher(topology) { publisher in
            #expect(await publisher.publish([.to(queue, id: "poison")]) == [.confirmed])
            try await withConsumer(queue) { consumer in
                for attempt in 0..<3 {
                    let delivery = try await consumer.take(1)[0]
                    #expect(delivery.headers["x-delivery-count"]?.integer ?? 0 == attempt)
                    consumer.nack([delivery.tag], requeue: true)
                }
            }
            try await withConsumer(dead) { consumer in
                let delivery = try await consumer.take(1)[0]
                #expect(delivery.properties.id == "poison")
                #expect(delivery.headers["x-first-death-reason"] == "delivery_limit")
                consumer.ack([delivery.tag])
            }
        }
    }

    @Test func anOversizedBodyIsNotKept() async throws {
        let queue = TestBroker.name("oversized")
        try await withPublisher(.queue(queue)) { publisher in
            let large = String(repeating: "x", count: 300_000)
            _ = await publisher.publish([
                .to(queue, large, id: "large"), .to(queue, "small", id: "small"), .to(queue, "", id: "empty"),
                .to(queue, String(repeating: "y", count: 1_000), id: "just"),
            ])
            try await withConsumer(queue, bodyLimit: 1_000) { consumer in
                let deliveries = try await consumer.take(4)
                #expect(deliveries.map(\.oversized) == [true, false, false, false])
                #expect(deliveries.map(\.body.count) == [0, 5, 0, 1_000])
                #expect(deliveries[0].bodySize == 300_000)
                consumer.nack([deliveries[0].tag], requeue: false)
                consumer.ack(deliveries.dropFirst().map(\.tag))
            }
        }
    }

    @Test func pausingStopsDeliveriesAndResumingTakesThemUp() async throws {
        let queue = TestBroker.name("pause")
        try await withPublisher(.queue(queue)) { publisher in
            try await withConsumer(queue) { consumer in
                _ = await publisher.publish([.to(queue, id: "1")])
                let first = try await consumer.take(1)
                consumer.pause()
                try await eventually("paused") { try BrokerControl.consumers(of: queue) == 0 }
                // Another consumer gets what is published while the first one pauses.
                try await withConsumer(queue) { other in
                    for index in 0..<20 {
                        _ = await publisher.publish([.to(queue, id: "paused-\(index)")])
                        let taken = try await other.take(1)
                        other.ack(taken.map(\.tag))
                    }
                }
                consumer.ack(first.map(\.tag))
                consumer.resume()
                _ = await publisher.publish([.to(queue, id: "2")])
                #expect(try await consumer.take(1).first?.properties.id == "2")
            }
        }
    }

    @Test func afterCancelTheBurstsEndAndSettlementsStillGoOut() async throws {
        let queue = TestBroker.name("cancel")
        try await withPublisher(.queue(queue)) { publisher in
            _ = await publisher.publish((0..<10).map { .to(queue, id: "\($0)") })
            try await withConsumer(queue, prefetch: 10) { consumer in
                var all: [Delivery] = []
                for await burst in consumer.bursts {
                    if all.isEmpty { await consumer.cancel() }
                    all += burst
                }
                #expect(!all.isEmpty)
                #expect(Set(all.map(\.properties.id)).count == all.count)
                consumer.ack(all.map(\.tag))
                await consumer.close()
                #expect(consumer.status == .closed)

                try await withConsumer(queue) { other in
                    _ = await publisher.publish([.to(queue, id: "end")])
                    let left = try await other.take(11 - all.count)
                    #expect(Set(left.map(\.properties.id)).isDisjoint(with: all.map(\.properties.id)))
                    #expect(left.last?.properties.id == "end")
                }
            }
        }
    }

    @Test func aDeletedQueueIsDeclaredAndConsumedAgain() async throws {
        let queue = TestBroker.name("deleted")
        try await withPublisher(Topology()) { publisher in
            try await withConsumer(queue, .queue(queue)) { consumer in
                try await eventually("consuming") { consumer.status == .connected }
                try BrokerControl.deleteQueue(queue)
                try await eventually("consumed again") {
                    await publisher.publish([.to(queue, id: "after")]) == [.confirmed]
                }
                #expect(try await consumer.take(1).first?.properties.id == "after")
                #expect(consumer.status == .connected)
            }
        }
    }

    @Test func aQueueThatDoesNotExistShowsInTheStatusAndIsConsumedOnceItDoes() async throws {
        let queue = TestBroker.name("later")
        try await withConsumer(queue) { consumer in
            try await eventually("not found") {
                if case .disconnected(let error) = consumer.status {
                    error.code == .channelClosed(404)
                } else {
                    false
                }
            }
            try await withPublisher(.queue(queue)) { publisher in
                #expect(await publisher.publish([.to(queue)]) == [.confirmed])
                let deliveries = try await consumer.take(1)
                #expect(deliveries.count == 1)
            }
        }
    }

    @Test func cancellingRunCloses() async throws {
        let queue = TestBroker.name("run")
        let consumer = Consumer(
            address: try TestBroker.address(), topology: .queue(queue), queue: queue, prefetch: 1,
            name: "tests", logger: TestBroker.logger)
        let running = Task { await consumer.run() }
        try await eventually("consuming") { consumer.status == .connected }
        running.cancel()
        await running.value
        #expect(consumer.status == .closed)
        #expect(await consumer.bursts.makeAsyncIterator().next() == nil)
    }
}
