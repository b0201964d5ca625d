import CRabbitMQ
import EventLoop
import Glibc

/// One connection to the broker with one channel: the only holder of the library's handle.
///
/// Every call may block, for a limited time, and belongs on the loop thread of the actor that owns the
/// link. An error other than `.channelClosed` means that the connection is gone: drop the link.
final class BrokerLink {
    /// The channel's number. One channel is all a link needs: publishing and consuming have one each.
    private static let channel: amqp_channel_t = 1
    private static let consumerTag = "1"

    /// Where it leads, for the log: the URL of this one node, without password and options.
    let place: String
    private let handle: amqp_connection_state_t
    private let loop: LoopThread
    private let declares: Bool
    private let wire = WireMemory()
    private var assembler: ContentAssembler
    private var watchdogTicket: Int?

    /// True between ``openChannel()`` and the channel's end.
    private(set) var channelIsOpen = false

    /// Connects, checks the peer and logs in; at most 5 s for each of connecting and logging in, beside
    /// looking up the name. `node` is one of the address. `name` is shown in the broker's list of connections.
    init(
        to address: BrokerAddress, at node: BrokerAddress.Node, name: String, bodyLimit: Int, loop: LoopThread
    ) throws(AMQPError) {
        guard let handle = amqp_new_connection() else {
            throw AMQPError(.resources, "no memory for a connection")
        }
        self.handle = handle
        self.loop = loop
        declares = address.declares
        place = address.description(of: [node])
        assembler = ContentAssembler(bodyLimit: bodyLimit)
        try open(address, node)
        watch(address)
        try login(address, name: name)
    }

    deinit {
        if let watchdogTicket { Watchdog.shared.release(watchdogTicket) }
        amqp_destroy_connection(handle)
    }

    /// What to wait on for input.
    var descriptor: Int32 { amqp_get_sockfd(handle) }

    /// True when frames wait inside the library, where waiting on the descriptor does not see them.
    var hasBufferedInput: Bool {
        amqp_frames_enqueued(handle) != 0 || amqp_data_in_buffer(handle) != 0
    }

    /// Says goodbye; what was written before has then been taken by the broker. Errors are of no interest
    /// any more.
    func close() {
        _ = amqp_connection_close(handle, AMQP_REPLY_SUCCESS)
    }
}

// MARK: - Opening

extension BrokerLink {
    private static let connectSeconds = 5
    private static let answerSeconds = 10
    private static let frameBytes: Int32 = 131_072
    /// Properties and headers must fit one frame (``OutgoingMessage/headersLimit``).
    private static let leastFrameBytes: Int32 = 65_536

    private func open(_ address: BrokerAddress, _ node: BrokerAddress.Node) throws(AMQPError) {
        guard let socket = address.usesTLS ? amqp_ssl_socket_new(handle) : amqp_tcp_socket_new(handle) else {
            throw AMQPError(.resources, "no memory for a socket")
        }
        if address.usesTLS { try secure(socket, address) }
        var limit = timeval(tv_sec: Self.connectSeconds, tv_usec: 0)
        let status = amqp_socket_open_noblock(socket, node.host, Int32(node.port), &limit)
        guard status == 0 else { throw AMQPError(openStatus: status, "connecting to \(place)") }
        // Data that the peer does not acknowledge for two heartbeats ends the connection: a full socket then
        // fails even where the peer's machine is gone.
        var unacknowledged = Int32(address.heartbeatSeconds * 2_000)
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &unacknowledged,
            socklen_t(MemoryLayout<Int32>.size))
    }

    private func secure(_ socket: OpaquePointer, _ address: BrokerAddress) throws(AMQPError) {
        amqp_ssl_socket_set_verify_peer(socket, 1)
        amqp_ssl_socket_set_verify_hostname(socket, 1)
        guard amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) == 0 else {
            throw AMQPError(.handshakeFailed, "the TLS library has no TLS 1.2")
        }
        guard amqp_ssl_socket_set_cacert(socket, address.authoritiesFile) == 0 else {
            throw AMQPError(.invalidAddress, "no authorities can be read from \(address.authoritiesFile)")
        }
    }

    private func watch(_ address: BrokerAddress) {
        watchdogTicket = Watchdog.shared.watch(
            descriptor, of: loop, limitMilliseconds: UInt64(address.heartbeatSeconds * 2_500))
        loop.progressed()
    }

    private func login(_ address: BrokerAddress, name: String) throws(AMQPError) {
        var connecting = timeval(tv_sec: Self.connectSeconds, tv_usec: 0)
        var answering = timeval(tv_sec: Self.answerSeconds, tv_usec: 0)
        amqp_set_handshake_timeout(handle, &connecting)
        amqp_set_rpc_timeout(handle, &answering)
        defer { wire.recycle() }
        var properties = wire.table([
            "product": "TenantAtlas", "connection_name": .string(name),
            "capabilities": .table([
                "consumer_cancel_notify": true, "connection.blocked": true, "basic.nack": true,
                "publisher_confirms": true,
            ]),
        ])
        let reply = rabbit_login_plain(
            handle, address.virtualHost, 1, Self.frameBytes, Int32(address.heartbeatSeconds), &properties,
            address.user, address.password)
        try check(reply, "logging in to \(place)")
        guard amqp_get_frame_max(handle) >= Self.leastFrameBytes else {
            throw AMQPError(
                .protocolViolation, "the broker allows frames of \(amqp_get_frame_max(handle)) bytes only")
        }
    }
}

// MARK: - Requests

extension BrokerLink {
    /// Opens the channel, anew when the broker closed it.
    func openChannel() throws(AMQPError) {
        assembler.reset()
        amqp_channel_open(handle, Self.channel)
        try check("opening a channel")
        channelIsOpen = true
    }

    /// Ends the channel; everything on it has to be answered. A new one can be opened.
    func closeChannel() throws(AMQPError) {
        channelIsOpen = false
        let reply = amqp_channel_close(handle, Self.channel, AMQP_REPLY_SUCCESS)
        loop.progressed()
        try check(reply, "closing a channel")
    }

    /// Declares the topology, or only looks whether its exchanges and queues are there, as the address says.
    /// Bindings can't be looked at: where one is missing, publishes come back.
    func declare(_ topology: Topology) throws(AMQPError) {
        for exchange in topology.exchanges { try declare(exchange) }
        for queue in topology.queues { try declare(queue) }
        guard declares else { return }
        for binding in topology.bindings { try declare(binding) }
    }

    private func declare(_ exchange: Topology.Exchange) throws(AMQPError) {
        let (name, kind) = (wire.bytes(exchange.name), wire.bytes(exchange.kind.rawValue))
        let isPassive: amqp_boolean_t = declares ? 0 : 1
        amqp_exchange_declare(handle, Self.channel, name, kind, isPassive, 1, 0, 0, amqp_empty_table)
        try check("\(declares ? "declaring" : "looking for") the exchange \(exchange.name)")
    }

    private func declare(_ queue: Topology.Queue) throws(AMQPError) {
        guard let size = queue.arguments.encodedSize(), size <= OutgoingMessage.headersLimit else {
            throw AMQPError(.invalidAddress, "the arguments of queue \(queue.name) can't be sent")
        }
        let (name, arguments) = (wire.bytes(queue.name), wire.table(queue.arguments))
        let isPassive: amqp_boolean_t = declares ? 0 : 1
        amqp_queue_declare(handle, Self.channel, name, isPassive, 1, 0, 0, arguments)
        try check("\(declares ? "declaring" : "looking for") the queue \(queue.name)")
    }

    private func declare(_ binding: Topology.Binding) throws(AMQPError) {
        let (queue, exchange) = (wire.bytes(binding.queue), wire.bytes(binding.exchange))
        let key = wire.bytes(binding.routingKey)
        amqp_queue_bind(handle, Self.channel, queue, exchange, key, amqp_empty_table)
        try check("binding \(binding.queue) to \(binding.exchange)")
    }

    /// From now on each publish is answered.
    func selectConfirms() throws(AMQPError) {
        amqp_confirm_select(handle, Self.channel)
        try check("asking for confirms")
    }

    /// Starts deliveries from `queue`, at most `prefetch` unsettled ones at a time.
    func consume(_ queue: String, prefetch: UInt16) throws(AMQPError) {
        amqp_basic_qos(handle, Self.channel, 0, prefetch, 0)
        try check("setting the prefetch")
        let (queueBytes, tag) = (wire.bytes(queue), wire.bytes(Self.consumerTag))
        amqp_basic_consume(handle, Self.channel, queueBytes, tag, 0, 0, 0, amqp_empty_table)
        try check("consuming from \(queue)")
    }

    /// How many messages of `queue` wait for a consumer.
    func waiting(in queue: String) throws(AMQPError) -> Int {
        let (name, isPassive): (amqp_bytes_t, amqp_boolean_t) = (wire.bytes(queue), 1)
        let answer = amqp_queue_declare(
            handle, Self.channel, name, isPassive, 1, 0, 0, amqp_empty_table)
        let count = answer.map { Int($0.pointee.message_count) }
        try check("looking at \(queue)")
        return count ?? 0
    }

    /// Stops deliveries. Those that came before the answer are still to be read.
    func cancelConsume() throws(AMQPError) {
        amqp_basic_cancel(handle, Self.channel, wire.bytes(Self.consumerTag))
        try check("cancelling the consumer")
    }

    private func check(_ doing: String) throws(AMQPError) {
        wire.recycle()
        loop.progressed()
        try check(amqp_get_rpc_reply(handle), doing)
    }

    private func check(_ reply: amqp_rpc_reply_t, _ doing: String) throws(AMQPError) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL:
            return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            throw refusal(reply.reply, doing)
        default:
            throw AMQPError(status: reply.library_error, doing)
        }
    }

    /// The broker's close of the channel or of the connection, answered as it must be: the library leaves
    /// that to its user.
    private func refusal(_ method: amqp_method_t, _ doing: String) -> AMQPError {
        switch method.id {
        case AMQP_CHANNEL_CLOSE_METHOD:
            let close = method.decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            return channelClosed(close, doing)
        case AMQP_CONNECTION_CLOSE_METHOD:
            let close = method.decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            return connectionClosed(close, doing)
        default:
            return AMQPError(.protocolViolation, "\(doing): the broker answered with method \(method.id)")
        }
    }

    private func channelClosed(_ close: amqp_channel_close_t, _ doing: String) -> AMQPError {
        channelIsOpen = false
        assembler.reset()
        let error = AMQPError(.channelClosed(close.reply_code), "\(doing): \(String(close.reply_text))")
        discardBufferedFrames()
        var answer = amqp_channel_close_ok_t()
        let status = amqp_send_method(handle, Self.channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &answer)
        amqp_maybe_release_buffers_on_channel(handle, Self.channel)
        return status == 0 ? error : AMQPError(status: status, doing)
    }

    /// Frames of the closed channel that a request left inside the library must not pass for the next one's.
    private func discardBufferedFrames() {
        var frame = amqp_frame_t()
        var now = timeval()
        while amqp_frames_enqueued(handle) != 0,
            amqp_simple_wait_frame_noblock(handle, &frame, &now) == AMQP_STATUS_OK.rawValue
        {}
    }

    private func connectionClosed(_ close: amqp_connection_close_t, _ doing: String) -> AMQPError {
        let (code, text) = (close.reply_code, String(close.reply_text))
        var answer = amqp_connection_close_ok_t()
        amqp_send_method(handle, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &answer)
        // 403 while logging in is a wrong name or password; the broker's text says no more, on purpose.
        let isLogin = code == 403 && !channelIsOpen
        return AMQPError(isLogin ? .loginRefused : .connectionClosed(code), "\(doing): \(text)")
    }
}

// MARK: - Messages

extension BrokerLink {
    /// Writes one message, which has no ``OutgoingMessage/fault``. `appID` names the program.
    func publish(_ message: OutgoingMessage, appID: String) throws(AMQPError) {
        defer { wire.recycle() }
        var properties = wire.properties(of: message, appID: appID)
        let (exchange, key) = (wire.bytes(message.exchange), wire.bytes(message.routingKey))
        let status = message.body.withUnsafeBytes { body in
            let bytes = amqp_bytes_t(
                len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress))
            return amqp_basic_publish(handle, Self.channel, exchange, key, 1, 0, &properties, bytes)
        }
        guard status == 0 else { throw AMQPError(status: status, "publishing") }
    }

    func settle(_ command: SettlementTracker.Command) throws(AMQPError) {
        let multiple: amqp_boolean_t = command.multiple ? 1 : 0
        let status =
            switch command.settlement {
            case .acked: amqp_basic_ack(handle, Self.channel, command.number, multiple)
            case .requeued: amqp_basic_nack(handle, Self.channel, command.number, multiple, 1)
            case .refused: amqp_basic_nack(handle, Self.channel, command.number, multiple, 0)
            }
        guard status == 0 else { throw AMQPError(status: status, "settling deliveries") }
    }
}

// MARK: - Input

extension BrokerLink {
    /// What the broker said, whole.
    enum Event {
        case delivered(ContentAssembler.Content)
        case returned(ContentAssembler.Content)
        /// The answer to publishes, up to and with this tag when `multiple`.
        case answered(UInt64, multiple: Bool, accepted: Bool)
        case consumerCancelled
        case blocked(String)
        case unblocked
    }

    /// The next event that is there now, or `nil`. It also sends heartbeats that are due and notices the
    /// peer's that are missing, so it must be called about once a second.
    func nextEvent() throws(AMQPError) -> Event? {
        var frame = amqp_frame_t()
        var now = timeval()
        while true {
            let status = amqp_simple_wait_frame_noblock(handle, &frame, &now)
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            guard status == AMQP_STATUS_OK.rawValue else { throw AMQPError(status: status, "reading") }
            let event = try event(of: frame)
            // The pieces of a message are copied as they come: nothing of the library's memory is needed now.
            if event != nil { amqp_maybe_release_buffers_on_channel(handle, frame.channel) }
            if let event { return event }
        }
    }

    private func event(of frame: amqp_frame_t) throws(AMQPError) -> Event? {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD:
            return try event(of: frame.payload.method)
        case AMQP_FRAME_HEADER:
            let header = frame.payload.properties
            guard Int32(header.class_id) == AMQP_BASIC_CLASS else { return nil }
            let properties = header.decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee
            let hasHeaders = properties._flags & UInt32(AMQP_BASIC_HEADERS_FLAG) != 0
            return try assembler.header(
                MessageProperties(properties), hasHeaders ? FieldTable(properties.headers) : [:],
                bodySize: header.body_size
            ).map(Self.event)
        case AMQP_FRAME_BODY:
            let piece = frame.payload.body_fragment
            let event = try assembler.piece(UnsafeRawBufferPointer(start: piece.bytes, count: piece.len))
                .map(Self.event)
            // A body in many pieces must not pile up inside the library.
            if event == nil { amqp_maybe_release_buffers_on_channel(handle, frame.channel) }
            return event
        default:
            return nil
        }
    }

    private static func event(of content: ContentAssembler.Content) -> Event {
        switch content.origin {
        case .delivery: .delivered(content)
        case .returned: .returned(content)
        }
    }

    private func event(of method: amqp_method_t) throws(AMQPError) -> Event? {
        switch method.id {
        case AMQP_BASIC_DELIVER_METHOD:
            let deliver = method.decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee
            try assembler.begin(
                .delivery(
                    number: deliver.delivery_tag, redelivered: deliver.redelivered != 0,
                    exchange: String(deliver.exchange), routingKey: String(deliver.routing_key)))
            return nil
        case AMQP_BASIC_RETURN_METHOD:
            let returned = method.decoded.assumingMemoryBound(to: amqp_basic_return_t.self).pointee
            try assembler.begin(
                .returned(
                    code: returned.reply_code, text: String(returned.reply_text),
                    exchange: String(returned.exchange), routingKey: String(returned.routing_key)))
            return nil
        case AMQP_BASIC_ACK_METHOD:
            let ack = method.decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
            return .answered(ack.delivery_tag, multiple: ack.multiple != 0, accepted: true)
        case AMQP_BASIC_NACK_METHOD:
            let nack = method.decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
            return .answered(nack.delivery_tag, multiple: nack.multiple != 0, accepted: false)
        case AMQP_BASIC_CANCEL_METHOD:
            return .consumerCancelled
        case AMQP_CONNECTION_BLOCKED_METHOD:
            let blocked = method.decoded.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee
            return .blocked(String(blocked.reason))
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            return .unblocked
        case AMQP_CHANNEL_CLOSE_METHOD, AMQP_CONNECTION_CLOSE_METHOD:
            throw refusal(method, "the broker closed")
        default:
            return nil
        }
    }
}

extension BrokerLink {
    /// A connection to the first node that takes it; throws the last one's failure when none does.
    static func toAny(
        of address: BrokerAddress, name: String, bodyLimit: Int, loop: LoopThread
    ) throws(AMQPError) -> BrokerLink {
        var nodes = address.nodes[...]
        while let node = nodes.popFirst() {
            do throws(AMQPError) {
                return try BrokerLink(to: address, at: node, name: name, bodyLimit: bodyLimit, loop: loop)
            } catch {
                if nodes.isEmpty { throw error }
            }
        }
        preconditionFailure("an address without nodes")
    }
}
