import Glibc

/// Where errors go: beside the output, so that a machine that reads the output never meets one.
enum StandardError {
    /// Writes a text and a line end. What nobody takes is dropped.
    static func write(_ text: String) {
        var rest = Array((text + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
        }
    }
}
