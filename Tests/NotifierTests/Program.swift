import Waiting
import Curl
import Fixtures
import Foundation
import JSON
import Synchronization

/// The notifier as it is installed: a process of its own, with what it logged.
final class Program: Sendable {
    private let process = Process()
    private let output = Mutex(Data())
    private let client = CurlClient(userAgent: "test")

    init(_ environment: [String: String]) throws {
        // The executable lies beside the test bundle, which is this program on Linux.
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.executableURL = tests.deletingLastPathComponent().appending(path: "Notifier")
        process.environment = ["HTTP_PORT": "0", "HTTP_HOST": "127.0.0.1"].merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        pipe.fileHandleForReading.readabilityHandler = { handle in
            let more = handle.availableData
            self.output.withLock { $0 += more }
            if more.isEmpty { handle.readabilityHandler = nil }
        }
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Everything that it logged so far.
    var log: String { output.withLock { String(decoding: $0, as: UTF8.self) } }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Its exit status, or the number of the signal that ended it.
    func exitStatus() async throws -> Int32 {
        try await eventually("the notifier ends") {
            process.isRunning ? nil : process.terminationStatus
        }
    }

    /// The answer of one of its pages, as soon as it listens.
    func page(_ path: String) async throws -> (status: Int, body: String) {
        let port = try await eventually("the notifier listens") { listeningPort }
        let response = try await client.perform(HTTPRequest(url: "http://127.0.0.1:\(port)\(path)"))
        return (response.status, String(decoding: response.body, as: UTF8.self))
    }

    private var listeningPort: Int? {
        log.split(separator: "\n").lazy.compactMap { try? JSON(parsing: String($0)) }
            .first { $0["message"]?.string == "listening" }
            .flatMap { $0["port"]?.integer }
    }
}
