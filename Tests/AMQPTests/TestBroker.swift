import Waiting
import Foundation
import Logging
import Synchronization
import Testing

@testable import AMQP

/// The broker of the tests, from TEST_AMQP_URL.
enum TestBroker {
    static func url(_ options: String = "") throws -> String {
        let url = ProcessInfo.processInfo.environment["TEST_AMQP_URL"]
        return try #require(url, "TEST_AMQP_URL is not set: run the tests with scripts/test") + options
    }

    static func address(_ options: String = "") throws -> BrokerAddress {
        try BrokerAddress(url: url(options))
    }

    /// The same broker through `port` of this machine.
    static func address(throughPort port: Int, _ options: String = "", scheme: String = "amqp") throws
        -> BrokerAddress
    {
        try address(throughPorts: [port], options, scheme: scheme)
    }

    /// The same broker through several ports of this machine, as if each were a node of a cluster.
    static func address(throughPorts ports: [Int], _ options: String = "", scheme: String = "amqp") throws
        -> BrokerAddress
    {
        let real = try address()
        let nodes = ports.map { "localhost:\($0)" }.joined(separator: ",")
        return try BrokerAddress(url: "\(scheme)://\(real.user):\(real.password)@\(nodes)/\(options)")
    }

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A name that no other test has.
    static func name(_ what: String) -> String { "test.\(what).\(UUID().uuidString.prefix(8))" }
}

extension Topology {
    /// A queue of its own for one test, which the broker deletes when it was unused for a minute.
    static func queue(_ name: String, _ arguments: FieldTable = [:]) -> Topology {
        var arguments = arguments
        arguments["x-expires"] = 60_000
        return Topology(queues: [Queue(name, arguments: arguments)])
    }

    static func + (left: Topology, right: Topology) -> Topology {
        Topology(
            exchanges: left.exchanges + right.exchanges, queues: left.queues + right.queues,
            bindings: left.bindings + right.bindings)
    }
}

extension OutgoingMessage {
    /// To a queue directly.
    static func to(_ queue: String, _ text: String = "body", id: String = UUID().uuidString)
        -> OutgoingMessage
    {
        OutgoingMessage(exchange: "", routingKey: queue, id: id, body: Array(text.utf8))
    }
}

/// Runs `body` with a running publisher, and closes it.
func withPublisher<R: Sendable>(
    _ topology: Topology, address: BrokerAddress? = nil, _ body: (Publisher) async throws -> R
) async throws -> R {
    let publisher = Publisher(
        address: try address ?? TestBroker.address(), topology: topology, name: "tests",
        logger: TestBroker.logger)
    async let running: Void = publisher.run()
    do {
        let result = try await body(publisher)
        await publisher.close()
        await running
        return result
    } catch {
        await publisher.close()
        throw error
    }
}

/// Runs `body` with a running consumer, and closes it.
func withConsumer<R: Sendable>(
    _ queue: String, _ topology: Topology = Topology(), prefetch: UInt16 = 100, bodyLimit: Int = 1 << 20,
    address: BrokerAddress? = nil, _ body: (Consumer) async throws -> R
) async throws -> R {
    let consumer = Consumer(
        address: try address ?? TestBroker.address(), topology: topology, queue: queue, prefetch: prefetch,
        bodyLimit: bodyLimit, name: "tests", logger: TestBroker.logger)
    async let running: Void = consumer.run()
    do {
        let result = try await body(consumer)
        await consumer.close()
        await running
        return result
    } catch {
        await consumer.close()
        throw error
    }
}

extension Consumer {
    /// The next `count` deliveries, unsettled; fails when they do not come within the limit.
    func take(_ count: Int) async throws -> [Delivery] {
        let bursts = bursts
        let taken = try await inTime("\(count) deliveries") {
            var taken: [Delivery] = []
            for await burst in bursts {
                taken += burst
                if taken.count >= count { break }
            }
            return taken
        }
        try #require(taken.count == count, "expected \(count) deliveries")
        return taken
    }
}

extension PublishOutcome {
    var isUnknown: Bool { if case .unknown = self { true } else { false } }
    var isNotSent: Bool { if case .notSent = self { true } else { false } }
}
