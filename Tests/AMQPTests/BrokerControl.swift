import CRabbitMQ
import Testing

@testable import AMQP

/// What only tests ask of the broker.
enum BrokerControl {
    /// The broker did not do it: perhaps there is no such queue.
    struct Refused: Error {}

    static func deleteQueue(_ name: String) throws {
        try withChannel { connection in
            name.withCString { _ = amqp_queue_delete(connection, 1, amqp_cstring_bytes($0), 0, 0) }
        }
    }

    /// How many consumers the queue has now.
    static func consumers(of name: String) throws -> Int {
        try withChannel { connection in
            name.withCString { name in
                let answer = amqp_queue_declare(
                    connection, 1, amqp_cstring_bytes(name), 1, 0, 0, 0, amqp_empty_table)
                return Int(answer?.pointee.consumer_count ?? 0)
            }
        }
    }

    private static func withChannel<R>(_ body: (amqp_connection_state_t) -> R) throws -> R {
        let address = try TestBroker.address()
        let connection = try #require(amqp_new_connection())
        defer { amqp_destroy_connection(connection) }
        let socket = try #require(amqp_tcp_socket_new(connection))
        try #require(amqp_socket_open(socket, address.nodes[0].host, Int32(address.nodes[0].port)) == 0)
        _ = rabbit_login_plain(
            connection, address.virtualHost, 1, 131_072, 0, nil, address.user, address.password)
        amqp_channel_open(connection, 1)
        let result = body(connection)
        guard amqp_get_rpc_reply(connection).reply_type == AMQP_RESPONSE_NORMAL else { throw Refused() }
        _ = amqp_connection_close(connection, 200)
        return result
    }
}
