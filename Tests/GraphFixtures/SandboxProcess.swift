package import Curl
internal import Foundation
package import JSON
internal import Synchronization

/// The sandbox as a process of its own on a free port, and its control surface.
package struct SandboxProcess: Sendable {
    /// Why it does not run.
    package struct NotStarted: Error, CustomStringConvertible {
        package let description: String
    }

    private static let token = "open-sesame"

    package let base: String
    private let http: CurlClient

    /// Starts the sandbox, runs `body` with it, and ends it whatever happened.
    package static func with<R>(
        _ http: CurlClient, isolation: isolated (any Actor)? = #isolation,
        _ body: (SandboxProcess) async throws -> R
    ) async throws -> R {
        let process = Process()
        process.executableURL = try program()
        process.arguments = ["--port", "0", "--control", "--control-token", token]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        defer { process.terminate() }
        let line = await firstLine(of: output.fileHandleForReading)
        guard let base = try JSON(parsing: line)["listening"]?.string else {
            throw NotStarted(description: "the sandbox does not say where it listens")
        }
        return try await body(SandboxProcess(base: base, http: http))
    }

    /// The first line of a program's output, or all of it when it ends before.
    private static func firstLine(of output: FileHandle) async -> String {
        let read = Mutex(Data())
        return await withCheckedContinuation { continuation in
            output.readabilityHandler = { handle in
                let data = handle.availableData
                let text = read.withLock { read in
                    read += data
                    return String(decoding: read, as: UTF8.self)
                }
                guard data.isEmpty || text.contains("\n") else { return }
                handle.readabilityHandler = nil
                continuation.resume(returning: text)
            }
        }
    }

    /// The program that was built with the tests: in the folder that `BIN` names, else beside the tests.
    private static func program() throws -> URL {
        let folder =
            ProcessInfo.processInfo.environment["BIN"].map { URL(filePath: $0) }
            ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let program = folder.appending(path: "GraphSandbox")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw NotStarted(description: "there is no \(program.path): build it, or set BIN to its folder")
        }
        return program
    }

    /// One request to the control surface.
    @discardableResult
    package func control(_ method: String, _ path: String, _ body: JSON? = nil) async throws -> JSON {
        let response = try await http.perform(
            HTTPRequest(
                method: method, url: "\(base)/_sandbox\(path)",
                headers: [("Authorization", "Bearer \(Self.token)"), ("Content-Type", "application/json")],
                body: body?.bytes))
        guard (200..<300).contains(response.status) else {
            throw NotStarted(
                description:
                    "\(method) \(path): \(response.status) \(String(decoding: response.body, as: UTF8.self))")
        }
        return response.body.isEmpty ? .null : try JSON(parsing: response.body)
    }

    /// Arms a fault for one tenant.
    package func arm(_ kind: String, tenant: String, _ more: JSONObject = [:]) async throws {
        var fault: JSONObject = ["kind": .string(kind), "tenant": .string(tenant)]
        for (key, value) in more.members { fault[key] = value }
        try await control("POST", "/faults", .object(fault))
    }

    /// What the sandbox received from a tenant's callers.
    package struct Call: Sendable, Hashable {
        package let method: String
        package let path: String
        package let status: Int?
        package let clientRequestID: String?
    }

    package func calls(tenant: String) async throws -> [Call] {
        let journal = try await control("GET", "/journal?limit=100000&tenant=\(tenant)")
        return (journal["entries"]?.array ?? []).map { entry in
            Call(
                method: entry["method"]?.string ?? "", path: entry["path"]?.string ?? "",
                status: entry["status"]?.integer, clientRequestID: entry["clientRequestId"]?.string)
        }
    }
}
