import Glibc
import Synchronization

/// The process's output, without a buffer: what was written is out, even when the process dies next.
package enum StandardOutput {
    private static let turn = Mutex(())

    /// Writes all bytes in one piece between the writes of other threads. Output that nobody takes any
    /// more is dropped.
    package static func write(_ bytes: [UInt8]) {
        turn.withLock { _ in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
                if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
            }
        }
    }
}
