import Glibc
import Postgres
import Synchronization

/// A TCP proxy between a client and the server that can go silent or cut at a chosen moment.
///
/// Blocking sockets, two threads a connection: simple enough to be believed.
final class Proxy: Sendable {
    enum Mode: Sendable {
        case forward
        /// Takes everything and passes nothing on.
        case silent
        /// Closes both sides when the server has replied next, without passing the reply on.
        case cutAtReply
    }

    private struct State {
        var mode = Mode.forward
        var descriptors: [Int32] = []
        var accepted = 0
        var isOver = false
    }

    let port: UInt16
    private let listener: Int32
    private let upstream: UInt16
    private let state = Mutex(State())

    /// Forwards to `upstream` on the loopback address, from a free port.
    init(to upstream: UInt16) {
        self.upstream = upstream
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failure = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) | listen(listener, 64) | getsockname(listener, $0, &length)
            }
        }
        precondition(failure == 0, "the proxy has no port: errno \(errno)")
        port = UInt16(bigEndian: address.sin_port)
        Self.thread { self.accept() }
    }

    var mode: Mode {
        get { state.withLock { $0.mode } }
        set { state.withLock { $0.mode = newValue } }
    }

    /// How many connections came in.
    var accepted: Int { state.withLock { $0.accepted } }

    /// Cuts every connection and takes no more.
    func close() {
        state.withLock { $0.isOver = true }
        shutdown(listener, Int32(SHUT_RDWR))
        cut()
    }

    /// Cuts every connection of now.
    func cut() {
        let descriptors = state.withLock { $0.descriptors }
        for descriptor in descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0, !state.withLock({ $0.isOver }) else { return }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(upstream)
            let failure = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            precondition(failure == 0, "the proxy can't reach the server: errno \(errno)")
            state.withLock { state in
                state.descriptors += [client, server]
                state.accepted += 1
            }
            Self.thread { self.pump(from: client, to: server, isReply: false) }
            Self.thread { self.pump(from: server, to: client, isReply: true) }
        }
    }

    private func pump(from source: Int32, to target: Int32, isReply: Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(source, &buffer, buffer.count)
            if count <= 0 { break }
            switch mode {
            case .forward:
                var sent = 0
                while sent < count {
                    let written = buffer.withUnsafeBytes {
                        send(target, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL))
                    }
                    if written <= 0 { break }
                    sent += written
                }
            case .silent: continue
            case .cutAtReply:
                if isReply {
                    mode = .forward
                    shutdown(source, Int32(SHUT_RDWR))
                    shutdown(target, Int32(SHUT_RDWR))
                    return
                }
                _ = buffer.withUnsafeBytes {
                    send(target, $0.baseAddress!, count, Int32(MSG_NOSIGNAL))
                }
            }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(Work(body)).toOpaque()
        pthread_create(
            &handle, nil,
            { context in
                Unmanaged<Work>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            }, context)
        pthread_detach(handle)
    }
}

/// Runs `body` with a fresh database and a proxy before its server.
func withProxy<R: Sendable>(
    _ adjust: (inout PostgresConfiguration) -> Void = { _ in },
    _ body: (TestDatabase, Proxy, PostgresConfiguration) async throws -> R
) async throws -> R {
    try await withDatabase(adjust) { database in
        let proxy = Proxy(to: database.port)
        defer { proxy.close() }
        return try await body(database, proxy, database.configuration(port: proxy.port))
    }
}
