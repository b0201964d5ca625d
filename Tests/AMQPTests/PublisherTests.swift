import Waiting
import Foundation
import Testing

@testable import AMQP

@Suite(.timeLimit(.minutes(2)))
struct PublisherTests {
    @Test func fiveThousandMessagesFromTwentyCallersAreConfirmedAndArriveOnce() async throws {
        let queue = TestBroker.name("publish")
        try await withPublisher(.queue(queue)) { publisher in
            let sent = try await withThrowingTaskGroup(of: [String].self) { group in
                for caller in 0..<20 {
                    group.addTask {
                        var sent: [String] = []
                        for round in 0..<25 {
                            let ids = (0..<10).map { "\(caller)-\(round)-\($0)" }
                            let outcomes = await publisher.publish(ids.map { .to(queue, id: $0) })
                            let confirmed = outcomes.count { $0.isConfirmed }
                            #expect(confirmed == 10)
                            sent += ids
                        }
                        return sent
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let received = try await withConsumer(queue, prefetch: 5_000) { consumer in
                let deliveries = try await consumer.take(5_000)
                consumer.ack(deliveries.map(\.tag))
                return deliveries.compactMap(\.properties.id)
            }
            #expect(Set(received) == Set(sent))
            #expect(received.count == 5_000)
        }
    }

    @Test func propertiesHeadersAndBodyArriveAsPublished() async throws {
        let queue = TestBroker.name("properties")
        let exchange = TestBroker.name("exchange")
        var topology = Topology.queue(queue)
        topology.exchanges = [.init(exchange, .topic)]
        topology.bindings = [.init(queue: queue, exchange: exchange, routingKey: "a.#")]
        let headers: FieldTable = [
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "count": 42,
            "flag": true,
            "none": .null, "ratio": .number(0.5), "raw": .bytes([0, 255, 1]),
            "when": .timestamp(Date(timeIntervalSince1970: 1_700_000_000)), "negative": -7,
            "nested": .table(["list": .array(["x", 1, .table(["deep": "Zürich"])])]),
        ]
        let message = OutgoingMessage(
            exchange: exchange, routingKey: "a.b.c", id: "id-1", type: "demo.happened",
            correlationID: "run-1", contentType: "text/plain", headers: headers,
            body: Array("Grüße".utf8), timestamp: Date(timeIntervalSince1970: 1_600_000_000),
            expirationMilliseconds: 60_000)
        try await withPublisher(topology) { publisher in
            #expect(await publisher.publish([message]) == [.confirmed])
            try await withConsumer(queue) { consumer in
                let delivery = try #require(try await consumer.take(1).first)
                #expect(delivery.exchange == exchange)
                #expect(delivery.routingKey == "a.b.c")
                #expect(delivery.redelivered == false)
                #expect(delivery.oversized == false)
                #expect(delivery.properties.id == "id-1")
                #expect(delivery.properties.type == "demo.happened")
                #expect(delivery.properties.correlationID == "run-1")
                #expect(delivery.properties.contentType == "text/plain")
                #expect(delivery.properties.appID == "tests")
                #expect(delivery.properties.replyTo == nil)
                #expect(delivery.properties.timestamp == Date(timeIntervalSince1970: 1_600_000_000))
                #expect(delivery.body == Array("Grüße".utf8))
                for field in headers.fields { #expect(delivery.headers[field.name] == field.value) }
                consumer.ack([delivery.tag])
            }
        }
    }

    @Test func aMessageThatNoQueueTakesIsReturnedAndTheOthersAreConfirmed() async throws {
        let queue = TestBroker.name("returned")
        try await withPublisher(.queue(queue)) { publisher in
            let batch = (0..<100).map { index in
                OutgoingMessage.to(index % 3 == 0 ? "no.such.queue" : queue, id: "\(index)")
            }
            let outcomes = await publisher.publish(batch)
            for (index, outcome) in outcomes.enumerated() {
                #expect(outcome == (index % 3 == 0 ? .returned(code: 312, text: "NO_ROUTE") : .confirmed))
            }
        }
    }

    @Test func ofTwoMessagesWithTheSameIDTheRightOneIsReturned() async throws {
        let queue = TestBroker.name("same-id")
        try await withPublisher(.queue(queue)) { publisher in
            let outcomes = await publisher.publish([.to(queue, id: "x"), .to("no.such.queue", id: "x")])
            #expect(outcomes == [.confirmed, .returned(code: 312, text: "NO_ROUTE")])
        }
    }

    @Test func aFullQueueRejects() async throws {
        let queue = TestBroker.name("full")
        let topology = Topology.queue(queue, ["x-max-length": 2, "x-overflow": "reject-publish"])
        try await withPublisher(topology) { publisher in
            let outcomes = await publisher.publish((0..<6).map { .to(queue, id: "\($0)") })
            #expect(outcomes.count { $0 == .confirmed } == 2)
            #expect(outcomes.count { $0 == .rejected } == 4)
        }
    }

    @Test func whatCanNotBeSentIsInvalidAndHarmsNoNeighbour() async throws {
        let queue = TestBroker.name("invalid")
        try await withPublisher(.queue(queue)) { publisher in
            var longKey = OutgoingMessage.to(queue)
            longKey.type = String(repeating: "x", count: 256)
            var large = OutgoingMessage.to(queue)
            large.body = [UInt8](repeating: 0, count: OutgoingMessage.bodyLimit + 1)
            var headers = OutgoingMessage.to(queue)
            headers.headers = ["h": .string(String(repeating: "x", count: OutgoingMessage.headersLimit))]
            let outcomes = await publisher.publish([
                longKey, .to(queue), .to(queue, id: ""), large, headers, .to(queue),
            ])
            #expect(outcomes.map(\.isConfirmed) == [false, true, false, false, false, true])
            #expect(outcomes.count { if case .invalid = $0 { true } else { false } } == 4)
            #expect(await publisher.publish([]) == [])
        }
    }

    @Test func theLargestBodyGoesThroughInPieces() async throws {
        let queue = TestBroker.name("large")
        var message = OutgoingMessage.to(queue)
        message.body = (0..<OutgoingMessage.bodyLimit).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sent = message
        try await withPublisher(.queue(queue)) { publisher in
            #expect(await publisher.publish([sent, .to(queue, "small")]) == [.confirmed, .confirmed])
            try await withConsumer(queue) { consumer in
                let deliveries = try await consumer.take(2)
                #expect(deliveries[0].body == sent.body)
                #expect(deliveries[1].body == Array("small".utf8))
            }
        }
    }

    @Test func anUnknownExchangeClosesTheChannelWhichThenWorksAgain() async throws {
        let queue = TestBroker.name("reopen")
        try await withPublisher(.queue(queue)) { publisher in
            let lost = await publisher.publish([
                OutgoingMessage(exchange: "no.such.exchange", routingKey: "x", id: "1", body: [])
            ])
            guard case .unknown(let reason) = lost[0] else {
                Issue.record("\(lost)")
                return
            }
            #expect(reason.contains("no exchange"))
            #expect(await publisher.publish([.to(queue)]) == [.confirmed])
        }
    }

    @Test func aDeclarationThatDiffersShowsInTheStatusAndEndsPublishesByTheirDeadline() async throws {
        let queue = TestBroker.name("mismatch")
        try await withPublisher(.queue(queue)) { publisher in
            #expect(await publisher.publish([.to(queue)]) == [.confirmed])
            try await withPublisher(.queue(queue, ["x-max-length": 5])) { other in
                let started = ContinuousClock.now
                let outcomes = await other.publish([.to(queue)], timeout: .seconds(1))
                #expect(outcomes[0].isNotSent)
                #expect(started.duration(to: .now) < .seconds(3))
                guard case .disconnected(let error) = other.status else {
                    Issue.record("status is \(other.status)")
                    return
                }
                #expect(error.code == .channelClosed(406))
                #expect(!error.isRetryable)
            }
        }
    }

    @Test func closingWaitsForAnswersAndRefusesWhatComesLater() async throws {
        let queue = TestBroker.name("closing")
        let publisher = Publisher(
            address: try TestBroker.address(), topology: .queue(queue), name: "tests",
            logger: TestBroker.logger)
        async let running: Void = publisher.run()
        try await eventually("connected") { publisher.status == .connected }
        async let outcomes = publisher.publish((0..<500).map { .to(queue, id: "\($0)") })
        try await eventually("closed while a batch is under way") {
            await publisher.close()
            return true
        }
        #expect(await outcomes.allSatisfy { $0.isConfirmed || $0.isNotSent })
        await running
        #expect(publisher.status == .closed)
        #expect(await publisher.publish([.to(queue)]).allSatisfy(\.isNotSent))
    }

    @Test func aPublisherThatNeverRanOrIsNotReachableAnswersAndCloses() async throws {
        let idle = Publisher(
            address: try TestBroker.address(), topology: Topology(), name: "tests", logger: TestBroker.logger)
        await idle.close()
        #expect(idle.status == .closed)

        let nowhere = try BrokerAddress(url: "amqp://guest:guest@127.0.0.1:1/")
        try await withPublisher(Topology(), address: nowhere) { publisher in
            let outcomes = await publisher.publish([.to("x")], timeout: .milliseconds(300))
            #expect(outcomes[0].isNotSent)
            guard case .disconnected(let error) = publisher.status else {
                Issue.record("status is \(publisher.status)")
                return
            }
            #expect(error.code == .unreachable)
            #expect(error.isRetryable)
        }
    }

    @Test func aWrongPasswordIsRefusedAndNeverShown() async throws {
        let real = try TestBroker.address()
        let node = real.nodes[0]
        let address = try BrokerAddress(url: "amqp://\(real.user):wr0ng-secret@\(node.host):\(node.port)/")
        try await withPublisher(Topology(), address: address) { publisher in
            try await eventually("refused") {
                if case .disconnected(let error) = publisher.status {
                    #expect(error.code == .loginRefused)
                    #expect(!error.isRetryable)
                    #expect(!"\(error)".contains("wr0ng-secret"))
                    return true
                }
                return false
            }
        }
    }
}
