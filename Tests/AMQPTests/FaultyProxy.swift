import Foundation
import Synchronization
import Testing

@testable import AMQP

/// A TCP proxy on this machine that can misbehave: cut its connections, or stop forwarding without closing.
/// Each connection has one thread for each direction.
final class FaultyProxy: Sendable {
    private struct State {
        var isFrozen = false
        var isRefusing = false
        var descriptors: [Int32] = []
        var accepted = 0
        /// Directions in which bytes have arrived and stay.
        var holding = 0
    }

    let port: Int
    private let listener: Int32
    private let targetPort: Int
    private let state = Mutex(State())
    private let thawed = NSCondition()

    /// Forwards to `targetPort` of this machine.
    init(to targetPort: Int) throws {
        self.targetPort = targetPort
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, size) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, raw, &size) == 0
            }
        }
        try #require(isListening)
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { self.accept() }
    }

    /// Connections accepted so far.
    var accepted: Int { state.withLock { $0.accepted } }

    /// Whether a connection was accepted and not cut since.
    var isUsed: Bool { state.withLock { !$0.descriptors.isEmpty } }

    /// Closes all connections; new ones are accepted.
    func cut() {
        state.withLock { state in
            for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
            state.descriptors = []
        }
    }

    /// Bytes stay where they are, in both directions, and nobody is told.
    func freeze() { state.withLock { $0.isFrozen = true } }

    func thaw() {
        thawed.withLock {
            state.withLock { $0.isFrozen = false }
            thawed.broadcast()
        }
    }

    /// Whether something was sent since ``freeze()``, and stays.
    var isHolding: Bool { state.withLock { $0.holding > 0 } }

    /// Whether new connections are closed at once.
    func refuse(_ isRefusing: Bool) { state.withLock { $0.isRefusing = isRefusing } }

    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
        thaw()
        cut()
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { return }
            if state.withLock({ $0.isRefusing }) {
                Glibc.close(client)
                continue
            }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(targetPort)
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                    _ = connect(server, raw, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            state.withLock { state in
                state.accepted += 1
                state.descriptors += [client, server]
            }
            Thread.detachNewThread { self.forward(from: client, to: server) }
            Thread.detachNewThread { self.forward(from: server, to: client) }
        }
    }

    private func waitForThaw() {
        thawed.withLock {
            guard state.withLock({ $0.isFrozen }) else { return }
            state.withLock { $0.holding += 1 }
            while state.withLock({ $0.isFrozen }) { thawed.wait() }
            state.withLock { $0.holding -= 1 }
        }
    }

    private func forward(from source: Int32, to target: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            waitForThaw()
            guard count > 0 else { break }
            var sent = 0
            while sent < count {
                let written = buffer.withUnsafeBytes { bytes in
                    send(target, bytes.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL))
                }
                guard written > 0 else { break }
                sent += written
            }
            if sent < count { break }
        }
        // Not closed: the other direction may still use it, and a test makes a handful only.
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }
}

/// Runs `body` with a proxy before the tests' broker.
func withProxy<R: Sendable>(_ body: (FaultyProxy) async throws -> R) async throws -> R {
    let proxy = try FaultyProxy(to: TestBroker.address().nodes[0].port)
    defer { proxy.close() }
    return try await body(proxy)
}
