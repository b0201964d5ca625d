package import Operations

/// Who logs in to the broker, and the least that each of them can do with.
///
/// Nobody may declare anything: exchanges, queues, users and rights come with the broker's definitions
/// (``BrokerDefinitions``). Nobody but upstream systems may use the name of a queue that the system does not know.
package enum BrokerUser: Hashable, Sendable {
    case starter
    case consumer(OperationFamily)
    case notifier
    /// People, by `atlas dead-letters`.
    case `operator`
    /// Other systems that send start requests.
    case upstream

    package static let all: [BrokerUser] =
        [.starter] + OperationFamily.allCases.map(BrokerUser.consumer) + [.notifier, .operator, .upstream]

    /// The login.
    package var name: String {
        switch self {
        case .starter: "starter"
        case .consumer(let family): "\(family.rawValue)-consumer"
        case .notifier: "notifier"
        case .operator: "operator"
        case .upstream: "upstream"
        }
    }

    /// What it may declare or delete, write to and read from: regular expressions over names, as the broker's own
    /// rights have them. `amq.default` is the exchange without a name, which leads to every queue.
    package var rights: (configure: String, write: String, read: String) {
        let deadLetters = JobTopology.queues.map(JobTopology.deadLetters(of:))
        return switch self {
        case .starter:
            // It mirrors dead letters into the database, and puts them back where people want it. Answers go to whatever
            // queue a request names, by the exchange without a name.
            (
                "^$", Self.only(JobTopology.jobs, JobTopology.events, "amq.default"),
                Self.only([JobTopology.requestQueue] + deadLetters)
            )
        case .consumer(let family):
            ("^$", Self.only(JobTopology.jobs, JobTopology.events), Self.only(JobTopology.queue(of: family)))
        case .notifier:
            ("^$", "^$", Self.only(JobTopology.notifierQueue))
        case .operator:
            // Puts a dead letter back into the queue that it was for.
            ("^$", Self.only("amq.default"), Self.only(deadLetters))
        case .upstream:
            // Queues for answers, under a name of their own or one that the broker makes up.
            ("^(replies|amq\\.gen).*", Self.only(JobTopology.requests), "^(replies|amq\\.gen).*")
        }
    }

    private static func only(_ names: String...) -> String { only(names) }

    private static func only(_ names: [String]) -> String {
        "^(\(names.map { $0.replacing(".", with: "\\.") }.joined(separator: "|")))$"
    }
}
