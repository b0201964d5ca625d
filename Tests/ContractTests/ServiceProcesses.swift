import Foundation
import Operations

/// The services as they are installed, each a process.
struct ServiceProcesses {
    private let processes: [Process]

    /// Starts the consumers of `families`, and the notifier.
    init(_ families: Set<OperationFamily>, environment: [String: String]) throws {
        let names = families.map { "\($0.rawValue.capitalized)Consumer" } + ["Notifier"]
        processes = try names.map { name in
            let folder =
                ProcessInfo.processInfo.environment["BIN"].map { URL(filePath: $0) }
                ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            let process = Process()
            process.executableURL = folder.appending(path: name)
            process.environment = environment
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            return process
        }
    }

    /// Runs `body`, and ends them whatever happened.
    func stopped<R>(_ body: () async throws -> R) async throws -> R {
        do {
            let result = try await body()
            stop()
            return result
        } catch {
            stop()
            throw error
        }
    }

    /// Ends them as an operator does, and waits for it.
    private func stop() {
        for process in processes { process.terminate() }
        for process in processes { process.waitUntilExit() }
    }
}
