import Glibc

/// Small text files: a configuration, a secret.
package enum TextFile {
    /// The whole file, or nil when it can't be read, is longer than `limit` bytes or is not UTF-8.
    package static func read(_ path: String, limit: Int) -> String? {
        guard !path.utf8.contains(0) else { return nil }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var length = 0
        while length <= limit {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(file, $0.baseAddress! + length, $0.count - length)
            }
            if count == 0 { return String(validating: bytes[..<length], as: UTF8.self) }
            guard count > 0 else { return nil }
            length += count
        }
        return nil
    }
}
