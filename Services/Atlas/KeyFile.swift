import FoundationEssentials
import Glibc

/// Writes a key's file so that nobody else reads it, and no half of it is ever there.
enum KeyFile {
    /// Writes `text` and a line end, with these access rights. What was there is replaced only if `replaces`.
    static func write(_ text: String, to path: String, mode: mode_t, replaces: Bool) throws(Failure) {
        guard !path.utf8.contains(0), !path.isEmpty else {
            throw failure(path, "This is not the name of a file.")
        }
        let draft = path + ".\(UUID().uuidString.prefix(8)).new"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure(path, reason) }
        defer { unlink(draft) }
        // Whatever the umask is.
        let isWritten = fchmod(file, mode) == 0 && write(Array((text + "\n").utf8), file) && fsync(file) == 0
        guard close(file) == 0, isWritten else { throw failure(path, reason) }
        // A link never replaces anything; a rename does.
        guard (replaces ? rename(draft, path) : link(draft, path)) == 0 else { throw failure(path, reason) }
    }

    /// Whether something has that name.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func write(_ bytes: [UInt8], _ file: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return false }
        }
        return true
    }

    private static var reason: String { String(cString: strerror(errno)) + "." }

    private static func failure(_ path: String, _ why: String) -> Failure {
        Failure(
            code: .refused, what: "The file \(path) could not be written.", why: why,
            next: "Check the folder and its rights.")
    }
}
