package import AMQP
package import Operations

/// The exchanges and queues, declared by every service that uses them and the same everywhere.
///
///     jobs (direct) ── <family> ──► jobs.<family> ──(refused, undecodable, too often)──► jobs.<family>.dead
///     requests (direct) ── start ──► starter.requests ─(no start request)──────────────► starter.requests.dead
///     run-events (fanout) ────────► notifier.terminal ─────────────────────────────────► notifier.terminal.dead
///
/// All queues are quorum queues. What differs between broker versions, or by a broker's configuration (limits,
/// dead-lettering, members in a cluster), is declared explicitly, so that RabbitMQ 3.10 and 4.x behave alike. What is
/// declared belongs to the queue for good: another value is refused (406) until the queue was deleted, which loses
/// nothing but the dead letters.
package enum JobTopology {
    /// The exchange that jobs are published to; the routing key is the family's name.
    package static let jobs = "jobs"
    /// The exchange of the terminal events.
    package static let events = "run-events"
    /// The exchange through which refused messages go to the dead-letter queues.
    package static let dead = "dead-letters"
    /// The exchange that upstream systems publish start requests to, with the routing key ``startKey``.
    package static let requests = "requests"
    package static let startKey = "start"
    /// The queue of start requests, which the starter reads.
    package static let requestQueue = "starter.requests"
    /// The queue that the notifier reads.
    package static let notifierQueue = "notifier.terminal"

    /// How often the broker delivers a message that kills its consumer. A backstop: attempts are counted in
    /// the database, and messages that were merely fetched with a poisonous one count here as well.
    private static let deliveryLimit: Int64 = 50
    /// How many nodes of a cluster hold a copy of each queue; a single broker holds the one there is. A cluster that
    /// nodes were added to later is given copies by its operator (`rabbitmq-queues grow`).
    private static let members: Int64 = 3
    /// How long a message may be in a consumer's hands, in milliseconds: longer than any run takes. RabbitMQ's default is
    /// half an hour, and it ends the consumer then. (3.10 reads no such argument: there it is `consumer_timeout` of the
    /// broker's configuration.) A lost consumer is known by its lease, long before.
    private static let holdLimit: Int64 = 24 * 3_600 * 1_000
    /// The most messages that a job queue holds. The outbox keeps what is beyond.
    private static let queueLimit: Int64 = 1_000_000
    /// The most messages that a dead-letter queue keeps, and for how long, in milliseconds.
    private static let deadLimit: Int64 = 100_000
    private static let deadAge: Int64 = 30 * 24 * 3_600 * 1_000
    /// How often people may look at a dead letter. Where nothing is declared, RabbitMQ 4 drops a message that was given
    /// back 20 times.
    private static let deadLooks: Int64 = 1_000_000

    /// The queue of a family.
    package static func queue(of family: OperationFamily) -> String { "jobs.\(family.rawValue)" }

    /// The queue of what the consumers of `queue` refused for good.
    package static func deadLetters(of queue: String) -> String { "\(queue).dead" }

    /// All queues that have dead letters.
    package static var queues: [String] {
        OperationFamily.allCases.map(queue(of:)) + [notifierQueue, requestQueue]
    }

    /// What a family's consumer declares: its own queue, and where its events go.
    package static func consumer(of family: OperationFamily) -> Topology {
        merge([jobQueue(of: family), notifier])
    }

    /// What the starter declares: its own queue, and every family's, so that no job is ever unroutable.
    package static var starter: Topology {
        merge(OperationFamily.allCases.map(jobQueue(of:)) + [notifier, requestsTopology])
    }

    /// What the notifier declares.
    package static var notifier: Topology {
        pair(queue: notifierQueue, exchange: .init(events, .fanout), routingKey: "")
    }

    private static var requestsTopology: Topology {
        pair(queue: requestQueue, exchange: .init(requests, .direct), routingKey: startKey)
    }

    private static func jobQueue(of family: OperationFamily) -> Topology {
        pair(queue: queue(of: family), exchange: .init(jobs, .direct), routingKey: family.rawValue)
    }

    /// A queue with its dead-letter queue.
    private static func pair(queue: String, exchange: Topology.Exchange, routingKey: String) -> Topology {
        Topology(
            exchanges: [exchange, .init(dead, .direct)],
            queues: [
                .init(
                    deadLetters(of: queue),
                    arguments: [
                        "x-queue-type": "quorum", "x-quorum-initial-group-size": .integer(members),
                        "x-queue-leader-locator": "balanced", "x-max-length": .integer(deadLimit),
                        "x-overflow": "drop-head", "x-message-ttl": .integer(deadAge),
                        "x-delivery-limit": .integer(deadLooks),
                    ]),
                .init(
                    queue,
                    arguments: [
                        "x-queue-type": "quorum", "x-quorum-initial-group-size": .integer(members),
                        "x-queue-leader-locator": "balanced", "x-consumer-timeout": .integer(holdLimit),
                        "x-delivery-limit": .integer(deliveryLimit),
                        "x-max-length": .integer(queueLimit), "x-overflow": "reject-publish",
                        "x-dead-letter-exchange": .string(dead), "x-dead-letter-routing-key": .string(queue),
                        "x-dead-letter-strategy": "at-least-once",
                    ]),
            ],
            bindings: [
                .init(queue: deadLetters(of: queue), exchange: dead, routingKey: queue),
                .init(queue: queue, exchange: exchange.name, routingKey: routingKey),
            ])
    }

    /// Equal declarations once.
    private static func merge(_ topologies: [Topology]) -> Topology {
        var merged = Topology(exchanges: [], queues: [], bindings: [])
        for topology in topologies {
            merged.exchanges += topology.exchanges.filter { !merged.exchanges.contains($0) }
            merged.queues += topology.queues.filter { !merged.queues.contains($0) }
            merged.bindings += topology.bindings.filter { !merged.bindings.contains($0) }
        }
        return merged
    }
}
