internal import AMQP
internal import Crypto
internal import FoundationEssentials
package import JSON

/// What a broker has to know of this system, in the form that RabbitMQ loads when it starts (`load_definitions`): the
/// virtual host, users with their rights, exchanges, queues and bindings. A broker that lost everything has it again
/// when it has started; one that knows it already changes nothing but passwords and rights.
package enum BrokerDefinitions {
    /// The definitions. `logins` gives each user its password; who is not named is not made. `salt` gives four random
    /// bytes.
    package static func document(
        virtualHost: String, logins: [(user: BrokerUser, password: String)],
        salt: () -> [UInt8] = { (0..<4).map { _ in UInt8.random(in: .min ... .max) } }
    ) -> JSON {
        // Every service's: the starter knows all queues.
        let topology = JobTopology.starter
        return .object([
            "vhosts": [["name": .string(virtualHost)]],
            "users": .array(
                logins.map { login in
                    [
                        "name": .string(login.user.name),
                        "password_hash": .string(hash(login.password, salt())),
                        "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": [],
                    ]
                }),
            "permissions": .array(
                logins.map { login in
                    let rights = login.user.rights
                    return [
                        "user": .string(login.user.name), "vhost": .string(virtualHost),
                        "configure": .string(rights.configure), "write": .string(rights.write),
                        "read": .string(rights.read),
                    ]
                }),
            "exchanges": .array(
                topology.exchanges.map { exchange in
                    [
                        "name": .string(exchange.name), "vhost": .string(virtualHost),
                        "type": .string(exchange.kind.rawValue), "durable": true, "auto_delete": false,
                        "internal": false, "arguments": .object([:]),
                    ]
                }),
            "queues": .array(
                topology.queues.map { queue in
                    [
                        "name": .string(queue.name), "vhost": .string(virtualHost), "durable": true,
                        "auto_delete": false, "arguments": arguments(queue.arguments),
                    ]
                }),
            "bindings": .array(
                topology.bindings.map { binding in
                    [
                        "source": .string(binding.exchange), "vhost": .string(virtualHost),
                        "destination": .string(binding.queue), "destination_type": "queue",
                        "routing_key": .string(binding.routingKey), "arguments": .object([:]),
                    ]
                }),
        ])
    }

    /// How RabbitMQ keeps a password: base64 of a salt and of SHA-256 over salt and password.
    static func hash(_ password: String, _ salt: [UInt8]) -> String {
        Data(salt + Array(SHA256.hash(data: salt + Array(password.utf8)))).base64EncodedString()
    }

    private static func arguments(_ table: FieldTable) -> JSON {
        .object(
            JSONObject(
                table.fields.map { field in
                    switch field.value {
                    case .string(let text): (field.name, .string(text))
                    case .integer(let number): (field.name, .integer(number))
                    case .bool(let value): (field.name, .bool(value))
                    case .null, .number, .bytes, .timestamp, .array, .table:
                        preconditionFailure("no queue of ours has such an argument: \(field.name)")
                    }
                }))
    }
}
