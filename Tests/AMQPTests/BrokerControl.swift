import CRabbitMQ
import EventLoop
import Testing

@testable import AMQP

/// What only tests ask of the broker.
enum BrokerControl {
    static func deleteQueue(_ name: String) async throws {
        let address = try TestBroker.address()
        let socket = try #require(amqp_new_connection())
        defer { amqp_destroy_connection(socket) }
        let tcp = try #require(amqp_tcp_socket_new(socket))
        try #require(amqp_socket_open(tcp, address.host, Int32(address.port)) == 0)
        _ = rabbit_login_plain(
            socket, address.virtualHost, 1, 131_072, 0, nil, address.user, address.password)
        amqp_channel_open(socket, 1)
        try name.withCString { name in
            amqp_queue_delete(socket, 1, amqp_cstring_bytes(name), 0, 0)
            try #require(amqp_get_rpc_reply(socket).reply_type == AMQP_RESPONSE_NORMAL)
        }
        _ = amqp_connection_close(socket, 200)
    }
}
