import EventLoop

/// Tells how many messages wait in queues, without taking one. It keeps its connection; after trouble the next look makes
/// another.
package actor QueueDepths {
    private nonisolated let loop: LoopThread
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let address: BrokerAddress
    private let topology: Topology
    private let name: String
    private var link: BrokerLink?

    /// `topology` is declared on connecting. `name` names the connection to the broker. It must be closed.
    package init(address: BrokerAddress, topology: Topology, name: String) {
        loop = LoopThread(name: "amqp-depths", parking: PollParking())
        self.address = address
        self.topology = topology
        self.name = name
    }

    /// How many messages wait in each of the queues; those that somebody holds unsettled don't count. Throws ``AMQPError``.
    package func look(at queues: [String]) throws(AMQPError) -> [String: Int] {
        let link = try connected()
        do {
            var depths: [String: Int] = [:]
            for queue in queues { depths[queue] = try link.waiting(in: queue) }
            return depths
        } catch {
            self.link = nil
            throw error
        }
    }

    private func connected() throws(AMQPError) -> BrokerLink {
        if let link { return link }
        let fresh = try BrokerLink.toAny(of: address, name: name, bodyLimit: 0, loop: loop)
        try fresh.openChannel()
        try fresh.declare(topology)
        link = fresh
        // Signs of life between two looks.
        loop.onTurn { self.assumeIsolated { $0.beat() } }
        return fresh
    }

    /// Ends the connection. Nothing may be looked at afterwards.
    package func close() {
        loop.onTurn(nil)
        link?.close()
        link = nil
        loop.stop()
    }

    private func beat() -> Int32 {
        if let link {
            // A connection that was lost is dropped, and made again by the next look.
            do { while try link.nextEvent() != nil {} } catch { self.link = nil }
        }
        return LoopThread.idleMilliseconds
    }
}
