/// The exchanges, queues and bindings that must exist, all durable. A ``Publisher`` and a ``Consumer``
/// declare theirs on each connect, so that a broker that lost them gets them back. Declaring what exists as
/// declared changes nothing; what exists with other properties is refused by the broker (406), which the
/// status then shows.
package struct Topology: Sendable, Equatable {
    package struct Exchange: Sendable, Equatable {
        package enum Kind: String, Sendable {
            case direct, topic, fanout
        }

        package let name: String
        package let kind: Kind

        package init(_ name: String, _ kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    package struct Queue: Sendable, Equatable {
        package let name: String
        package let arguments: FieldTable

        /// `arguments` as the broker documents them: `["x-queue-type": "quorum", "x-delivery-limit": 20]`.
        package init(_ name: String, arguments: FieldTable) {
            self.name = name
            self.arguments = arguments
        }
    }

    package struct Binding: Sendable, Equatable {
        package let queue: String
        package let exchange: String
        package let routingKey: String

        package init(queue: String, exchange: String, routingKey: String) {
            self.queue = queue
            self.exchange = exchange
            self.routingKey = routingKey
        }
    }

    package var exchanges: [Exchange]
    package var queues: [Queue]
    package var bindings: [Binding]

    package init(exchanges: [Exchange] = [], queues: [Queue] = [], bindings: [Binding] = []) {
        self.exchanges = exchanges
        self.queues = queues
        self.bindings = bindings
    }
}
