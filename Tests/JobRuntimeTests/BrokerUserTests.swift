import AMQP
import JSON
import JobRuntime
import Operations
import Testing

/// What each user of the broker may do, over all users and all names.
@Suite struct BrokerUserTests {
    private static let topology = JobTopology.starter
    private static let queues = topology.queues.map(\.name)
    private static let exchanges = topology.exchanges.map(\.name) + ["amq.default"]

    private func matches(_ rights: String, _ name: String) throws -> Bool {
        try Regex(rights).wholeMatch(in: name) != nil
    }

    @Test(arguments: BrokerUser.all) func nobodyDeclaresWhatIsTheSystems(user: BrokerUser) throws {
        for name in Self.queues + Self.exchanges {
            #expect(try !matches(user.rights.configure, name), "\(user.name) configures \(name)")
        }
    }

    @Test(arguments: queues) func oneServiceReadsAQueue(queue: String) throws {
        let readers = try BrokerUser.all.filter { try matches($0.rights.read, queue) }.map(\.name)
        if queue.hasSuffix(".dead") {
            #expect(readers == ["starter", "operator"])
        } else {
            #expect(readers.count == 1, "\(queue): \(readers)")
        }
    }

    @Test func eachFamilysQueueIsItsConsumers() throws {
        for family in OperationFamily.allCases {
            #expect(try matches(BrokerUser.consumer(family).rights.read, JobTopology.queue(of: family)))
        }
    }

    @Test(arguments: [
        (
            JobTopology.jobs,
            ["starter", "provider-consumer", "inventory-consumer", "restore-consumer", "bulk-consumer"]
        ),
        (
            JobTopology.events,
            ["starter", "provider-consumer", "inventory-consumer", "restore-consumer", "bulk-consumer"]
        ),
        (JobTopology.requests, ["upstream"]), (JobTopology.dead, []),
        ("amq.default", ["starter", "operator"]),
        // A dot in a name stands for itself.
        ("amqxdefault", []), ("jobs.restore", []),
    ])
    func whoWrites(exchange: String, writers: [String]) throws {
        #expect(
            try Set(BrokerUser.all.filter { try matches($0.rights.write, exchange) }.map(\.name))
                == Set(writers))
    }

    @Test func theDefinitionsHoldTheTopologyAndNoPassword() throws {
        let document = BrokerDefinitions.document(
            virtualHost: "place", logins: [(.starter, "an-open-word"), (.notifier, "another-one")],
            salt: { [1, 2, 3, 4] })
        #expect(!document.text.contains("an-open-word"))
        // sha256(01020304 ‖ "an-open-word"), behind the salt.
        #expect(
            document["users"]?[0]?["password_hash"]?.string
                == "AQIDBNjundyILbaI0oyx3WLjLLGGl9dy3v53xC/l9wl76kZX")
        #expect(document["users"]?.array?.map { $0["name"]?.string } == ["starter", "notifier"])
        #expect(document["queues"]?.array?.count == Self.topology.queues.count)
        #expect(document["bindings"]?.array?.count == Self.topology.bindings.count)
        let queue = document["queues"]?.array?.first { $0["name"]?.string == "jobs.bulk" }
        #expect(queue?["arguments"]?["x-queue-type"]?.string == "quorum")
        #expect(queue?["vhost"]?.string == "place")
    }
}
