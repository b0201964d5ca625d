import Foundation
import JSON

/// The program as people start it.
struct AtlasProcess: Sendable {
    /// How it ended, and what it told.
    struct Finished: Sendable {
        let status: Int32
        let output: String
        let errors: String

        /// The output of a run with `--json`.
        var json: JSON {
            get throws { try JSON(parsing: output.trimmingCharacters(in: .newlines)) }
        }

        /// The error of a run with `--json`.
        var error: JSON? { (try? JSON(parsing: errors.trimmingCharacters(in: .newlines)))?["error"] }
    }

    /// The executable lies beside the test bundle.
    private static let executable: URL = {
        let bundle = Bundle.allBundles.first { $0.bundleURL.pathExtension == "xctest" }?.bundleURL
        let folder = (bundle ?? Bundle.main.executableURL ?? Bundle.main.bundleURL)
            .deletingLastPathComponent()
        return folder.appending(path: "atlas")
    }()

    /// The whole environment of the program.
    var environment: [String: String]

    /// Runs it to its end.
    func run(_ arguments: String...) async throws -> Finished { try await run(arguments) }

    /// `sees` is told each line of the output as it comes; `input` comes through a pipe.
    func run(
        _ arguments: [String], input: String? = nil, sees: (String) async throws -> Void = { _ in }
    ) async throws -> Finished {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.environment = environment.merging(["TZ": "UTC"]) { given, _ in given }
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        if let input {
            let pipe = Pipe()
            process.standardInput = pipe
            // A few bytes: they fit into the pipe.
            pipe.fileHandleForWriting.write(Data(input.utf8))
            try pipe.fileHandleForWriting.close()
        }
        try process.run()
        async let complained = Self.lines(of: errors).reduce(into: "") { $0 += $1 }
        var told = ""
        for await line in Self.lines(of: output) {
            told += line
            try await sees(line)
        }
        let complaint = await complained
        process.waitUntilExit()
        return Finished(status: process.terminationStatus, output: told, errors: complaint)
    }

    /// What comes through a pipe, line by line with the line ends, read on a thread of its own: whoever waits
    /// here must not hold up what the program talks to.
    private static func lines(of pipe: Pipe) -> AsyncStream<String> {
        let (lines, told) = AsyncStream<String>.makeStream()
        Thread.detachNewThread {
            var rest = Data()
            while case let more = pipe.fileHandleForReading.availableData, !more.isEmpty {
                rest += more
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    told.yield(String(decoding: rest[...end], as: UTF8.self))
                    rest = Data(rest[(end + 1)...])
                }
            }
            if !rest.isEmpty { told.yield(String(decoding: rest, as: UTF8.self)) }
            told.finish()
        }
        return lines
    }
}
