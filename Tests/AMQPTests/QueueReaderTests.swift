import Testing

@testable import AMQP

@Suite("Looking into a queue", .serialized)
struct QueueReaderTests {
    private func reader(_ topology: Topology, _ queue: String, bodyLimit: Int = 1_000) throws -> QueueReader {
        QueueReader(
            address: try TestBroker.address(), topology: topology, queue: queue, bodyLimit: bodyLimit,
            name: "test")
    }

    private func text(_ message: Delivery) -> String { String(decoding: message.body, as: UTF8.self) }

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
            let (messages, total) = try await reader.take(limit: 100)
            #expect(total == expected.count)
            let seen = messages.map(text)
            for message in messages where look == 2 && text(message).hasSuffix("7") {
                try await reader.ack(message.tag)
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
        let first = try await strict.take(limit: 10).messages
        #expect(first.map(\.oversized) == [true, false, false])
        #expect(first.map(text) == ["", "", "small"])
        #expect(first[0].bodySize == 600_000)
        await strict.close()
        let lenient = try reader(topology, queue, bodyLimit: 1 << 20)
        let second = try await lenient.take(limit: 10).messages
        #expect(Set(second.map(text)) == [large, "", "small"])
        for message in second { try await lenient.ack(message.tag) }
        await lenient.close()
        let empty = try reader(topology, queue)
        let rest = try await empty.take(limit: 10)
        #expect(rest.messages.isEmpty)
        #expect(rest.total == 0)
        await empty.close()
    }

    @Test("a broker that is away, and a queue that is not there, are errors at once")
    func errors() async throws {
        let nowhere = QueueReader(
            address: try BrokerAddress(url: "amqp://localhost:1,localhost:2/"), topology: Topology(),
            queue: "q",
            bodyLimit: 1, name: "test")
        let away = await #expect(throws: AMQPError.self) { try await nowhere.take(limit: 1) }
        #expect(away?.code == .unreachable)
        await nowhere.close()
        let absent = try reader(Topology(), TestBroker.name("absent"))
        let missing = await #expect(throws: AMQPError.self) { try await absent.take(limit: 1) }
        #expect(missing?.code == .channelClosed(404))
        await absent.close()
    }
}
