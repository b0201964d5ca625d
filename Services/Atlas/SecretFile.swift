import Glibc

/// Reads a secret from a file or from the standard input, never from an argument: others may read those.
enum SecretFile {
    /// The text of the file, or of the standard input for nil. `limit` in bytes; `what` names it in a failure.
    static func read(_ path: String?, what: String, limit: Int) throws(Failure) -> String {
        guard let path else { return try read(from: STDIN_FILENO, "the standard input", what, limit) }
        guard !path.utf8.contains(0), !path.isEmpty else {
            throw failure(what, "«\(path)» is not the name of a file.")
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(what, "\(path): \(String(cString: strerror(errno))).") }
        defer { close(file) }
        return try read(from: file, path, what, limit)
    }

    /// The same without the line end that editors and `echo` put behind it.
    static func readLine(_ path: String?, what: String, limit: Int) throws(Failure) -> String {
        var text = try read(path, what: what, limit: limit + 2)
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        return text
    }

    private static func read(
        from file: Int32, _ name: String, _ what: String, _ limit: Int
    ) throws(Failure) -> String {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var length = 0
        while length <= limit {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(file, $0.baseAddress! + length, $0.count - length)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(what, "\(name): \(String(cString: strerror(errno))).") }
            if count == 0 {
                guard length > 0 else { throw failure(what, "There is nothing in \(name).") }
                guard let text = String(validating: bytes[..<length], as: UTF8.self) else {
                    throw failure(what, "\(name) holds no text.")
                }
                return text
            }
            length += count
        }
        throw failure(what, "\(name) is longer than \(limit) bytes.")
    }

    private static func failure(_ what: String, _ why: String) -> Failure {
        Failure(
            code: .usage, what: "The \(what) could not be read.", why: why,
            next: "Name a file that holds it, or send it to the standard input.")
    }
}
