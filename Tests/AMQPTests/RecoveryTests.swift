import Waiting
import Foundation
import Testing

@testable import AMQP

/// What happens when the network or the peer fails.
@Suite(.timeLimit(.minutes(2)))
struct RecoveryTests {
    @Test func confirmedMessagesSurviveCutsAndTheOthersAreSaidToBeUnknown() async throws {
        let queue = TestBroker.name("cuts")
        let (confirmed, unsure) = try await withProxy { proxy in
            let address = try TestBroker.address(throughPort: proxy.port)
            return try await withPublisher(.queue(queue), address: address) { publisher in
                try await eventually("connected") { publisher.status == .connected }
                let results = try await withThrowingTaskGroup(of: [(String, PublishOutcome)].self) { group in
                    for caller in 0..<8 {
                        group.addTask {
                            var results: [(String, PublishOutcome)] = []
                            while proxy.accepted < 6 {
                                let ids = (0..<20).map { "\(caller)-\(results.count + $0)" }
                                let outcomes = await publisher.publish(ids.map { .to(queue, id: $0) })
                                results += zip(ids, outcomes)
                            }
                            return results
                        }
                    }
                    group.addTask {
                        try await cutFiveTimes(proxy, publisher, queue)
                        return []
                    }
                    return try await group.reduce(into: [(String, PublishOutcome)]()) { $0 += $1 }
                }
                #expect(results.allSatisfy { $0.1.isConfirmed || $0.1.isUnknown })
                return (
                    results.filter { $0.1.isConfirmed }.map(\.0), results.filter { $0.1.isUnknown }.map(\.0)
                )
            }
        }
        #expect(!confirmed.isEmpty && !unsure.isEmpty)
        let stored = try await drain(queue)
        #expect(Set(confirmed).subtracting(stored).isEmpty, "confirmed but not stored")
        let others = stored.subtracting(confirmed).filter { !$0.hasPrefix("works-") }
        #expect(others.isSubset(of: unsure), "stored but said to be neither")
    }

    private func cutFiveTimes(_ proxy: FaultyProxy, _ publisher: Publisher, _ queue: String) async throws {
        for round in 0..<5 {
            let connections = proxy.accepted
            try await eventually("publishes") {
                await publisher.publish([.to(queue, id: "works-\(round)")]) == [.confirmed]
            }
            proxy.freeze()
            // What the other callers write now has no answer when the connection goes.
            try await eventually("something is on its way") { proxy.isHolding }
            proxy.cut()
            proxy.thaw()
            try await eventually("reconnected") { proxy.accepted > connections }
        }
    }

    /// The ids of all messages in the queue.
    private func drain(_ queue: String) async throws -> Set<String> {
        try await withPublisher(Topology()) { publisher in
            #expect(await publisher.publish([.to(queue, id: "end")]) == [.confirmed])
        }
        return try await withConsumer(queue, prefetch: 1_000) { consumer in
            var ids: Set<String> = []
            for await burst in consumer.bursts {
                ids.formUnion(burst.compactMap(\.properties.id))
                consumer.ack(burst.map(\.tag))
                if ids.remove("end") != nil { break }
            }
            return ids
        }
    }

    @Test func aConsumerComesBackAndOldTagsSettleNothing() async throws {
        let queue = TestBroker.name("consumer-cut")
        try await withPublisher(.queue(queue)) { publisher in
            _ = await publisher.publish((0..<10).map { .to(queue, id: "\($0)") })
            try await withProxy { proxy in
                let address = try TestBroker.address(throughPort: proxy.port)
                try await withConsumer(queue, prefetch: 10, address: address) { consumer in
                    let old = try await consumer.take(10)
                    proxy.cut()
                    let new = try await consumer.take(10)
                    #expect(new.map(\.properties.id) == old.map(\.properties.id))
                    #expect(new.count { $0.redelivered } == 10)
                    // Would settle deliveries 1 to 10 of the new session, were it not for the old one in
                    // the tags.
                    consumer.ack(old.map(\.tag))
                    consumer.ack([new[0].tag])
                }
            }
            try await withConsumer(queue) { consumer in
                let left = try await consumer.take(9)
                #expect(left.map(\.properties.id) == (1..<10).map(String.init))
            }
        }
    }

    @Test func aSilentPeerIsNoticedAndPublishesEndByTheirDeadline() async throws {
        let queue = TestBroker.name("silent")
        try await withProxy { proxy in
            let address = try TestBroker.address(throughPort: proxy.port, "?heartbeat=2")
            try await withPublisher(.queue(queue), address: address) { publisher in
                try await withConsumer(queue, address: address) { consumer in
                    #expect(await publisher.publish([.to(queue, id: "before")]) == [.confirmed])
                    try await eventually("consuming") { consumer.status == .connected }
                    proxy.freeze()
                    let frozen = ContinuousClock.now
                    // Small messages again and again: this is where 0.11 reads without a limit.
                    while publisher.status == .connected {
                        let started = ContinuousClock.now
                        let outcomes = await publisher.publish([.to(queue)], timeout: .milliseconds(400))
                        #expect(!outcomes[0].isConfirmed)
                        #expect(started.duration(to: .now) < .seconds(2))
                        try #require(frozen.duration(to: .now) < .seconds(9), "the publisher did not notice")
                    }
                    try await eventually("the consumer noticed") { consumer.status != .connected }
                    #expect(frozen.duration(to: .now) < .seconds(9))
                    // While the peer still accepts and says nothing, deadlines hold too.
                    let started = ContinuousClock.now
                    let outcomes = await publisher.publish([.to(queue)], timeout: .seconds(1))
                    #expect(outcomes[0].isNotSent)
                    #expect(started.duration(to: .now) < .seconds(3))
                    proxy.thaw()
                    try await eventually("publishes again") {
                        await publisher.publish([.to(queue)]) == [.confirmed]
                    }
                    try await eventually("consumes again") {
                        consumer.status == .connected
                    }
                }
            }
        }
    }

    @Test func aPeerThatStopsReadingDoesNotHoldAPublisherForEver() async throws {
        let queue = TestBroker.name("not-reading")
        try await withProxy { proxy in
            let address = try TestBroker.address(throughPort: proxy.port, "?heartbeat=2")
            try await withPublisher(.queue(queue), address: address) { publisher in
                #expect(await publisher.publish([.to(queue)]) == [.confirmed])
                proxy.freeze()
                let body = String(repeating: "x", count: OutgoingMessage.bodyLimit)
                let started = ContinuousClock.now
                // More than the sockets on the way take.
                let outcomes = await publisher.publish(
                    (0..<40).map { .to(queue, body, id: "\($0)") }, timeout: .seconds(2))
                #expect(outcomes.allSatisfy { $0.isUnknown || $0.isNotSent })
                #expect(started.duration(to: .now) < .seconds(4))
                try await eventually("given up") { publisher.status != .connected }
                #expect(started.duration(to: .now) < .seconds(12))
                proxy.thaw()
                try await eventually("publishes again") {
                    await publisher.publish([.to(queue)]) == [.confirmed]
                }
            }
        }
    }

    @Test func messagesWaitWhileTheBrokerIsAway() async throws {
        let queue = TestBroker.name("away")
        try await withProxy { proxy in
            proxy.refuse(true)
            let address = try TestBroker.address(throughPort: proxy.port)
            try await withPublisher(.queue(queue), address: address) { publisher in
                async let outcomes = publisher.publish([.to(queue)], timeout: .seconds(30))
                try await eventually("an attempt failed") {
                    if case .disconnected = publisher.status { true } else { false }
                }
                proxy.refuse(false)
                #expect(await outcomes == [.confirmed])
            }
        }
    }
}
