import Testing

@testable import AMQP

@Suite("Looking into a queue", .serialized)
struct QueueReaderTests {
    private func reader(_ topology: Topology, _ queue: String, bodyLimit: Int = 1_000) throws -> QueueReader {
        QueueReader(
            address: try TestBroker.address(), topology: topology, queue: queue, bodyLimit: bodyLimit,
            name: "test")
    }

    private func text(_ message: Delivery?) -> String? {
        message.map { String(decoding: $0.body, as: UTF8.self) }
    }

    @Test("messages come in order, and what is not settled stands where it stood")
    func order() async throws {
        let queue = TestBroker.name("reader")
        let topology = Topology.queue(queue, ["x-queue-type": "quorum", "x-delivery-limit": 1_000])
        let texts = (0..<120).map { "\($0)" }
        let outcomes = try await withPublisher(topology) { publisher in
            await publisher.publish(texts.map { OutgoingMessage.to(queue, $0) })
        }
        for outcome in outcomes { #expect(outcome.isConfirmed) }
        // Some are taken out from between, at the third look.
        var expected = texts
        for look in 0..<6 {
            let reader = try reader(topology, queue)
            let total = try await reader.open(limit: 100)
            #expect(total == expected.count)
            var seen: [String] = []
            while let message = try await reader.next() {
                let body = try #require(self.text(message))
                seen.append(body)
                if look == 2, body.hasSuffix("7") { try await reader.ack(message.tag) }
            }
            await reader.close()
            #expect(seen == Array(expected.prefix(100)), "look \(look)")
            if look == 2 { expected.removeAll { $0.hasSuffix("7") && Int($0)! < 100 } }
        }
        #expect(expected.count == 110)
    }

    @Test("a message that is too large is told of, and not kept; large ones come whole")
    func sizes() async throws {
        let queue = TestBroker.name("reader")
        let topology = Topology.queue(queue, ["x-queue-type": "quorum"])
        let large = String(repeating: "x", count: 600_000)
        let outcomes = try await withPublisher(topology) {
            await $0.publish([.to(queue, large), .to(queue, ""), .to(queue, "small")])
        }
        for outcome in outcomes { #expect(outcome.isConfirmed) }
        let strict = try reader(topology, queue)
        _ = try await strict.open(limit: 10)
        let next = try await strict.next()
        let first = try #require(next)
        #expect(first.oversized)
        #expect(first.body.isEmpty)
        #expect(first.bodySize == 600_000)
        let (empty, small) = (try await strict.next(), try await strict.next())
        #expect(text(empty) == "")
        #expect(text(small) == "small")
        await strict.close()
        let lenient = try reader(topology, queue, bodyLimit: 1 << 20)
        _ = try await lenient.open(limit: 1)
        let whole = try await lenient.next()
        #expect(text(whole) == large)
        await lenient.close()
    }

    @Test("a broker that is away, and a queue that is not there, are errors at once")
    func errors() async throws {
        let nowhere = QueueReader(
            address: try BrokerAddress(url: "amqp://localhost:1/"), topology: Topology(), queue: "q",
            bodyLimit: 1, name: "test")
        let away = await #expect(throws: AMQPError.self) { try await nowhere.open(limit: 1) }
        #expect(away?.code == .unreachable)
        await nowhere.close()
        let absent = try reader(Topology(), TestBroker.name("absent"))
        let missing = await #expect(throws: AMQPError.self) { try await absent.open(limit: 1) }
        #expect(missing?.code == .channelClosed(404))
        await absent.close()
    }
}
