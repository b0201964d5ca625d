import Foundation
import JSON
import Testing

@testable import GraphSandbox

/// The program as it is started by others.
@Suite struct ProgramTests {
    /// The executable lies beside the test bundle.
    private static let executable: URL = {
        let bundle = Bundle.allBundles.first { $0.bundleURL.pathExtension == "xctest" }?.bundleURL
        let folder = (bundle ?? Bundle.main.executableURL ?? Bundle.main.bundleURL)
            .deletingLastPathComponent()
        return folder.appending(path: "GraphSandbox")
    }()

    struct Finished: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    static func finish(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Finished {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = environment
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let errorText = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Finished(
            status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: errorText, as: UTF8.self))
    }

    /// Starts the program, reads its address, runs the body, and ends it with SIGTERM.
    static func serve(
        _ arguments: [String], _ environment: [String: String] = [:],
        _ body: (_ url: String) async throws -> Void
    ) async throws {
        let process = Process()
        process.executableURL = executable
        process.arguments = ["--port", "0"] + arguments
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        var line = Data()
        while !line.contains(UInt8(ascii: "\n")) {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "it ended before it listened")
            line += more
        }
        let json = try JSON(parsing: String(decoding: line.dropLast(), as: UTF8.self))
        try await body(try #require(json["listening"]?.string))
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 0)
    }

    @Test func helpNamesEverything() throws {
        let help = try Self.finish(["--help"])
        #expect(help.status == 0)
        let words = [
            "--port", "--host", "--seed", "--tenants", "--control", "--control-token", "--token-lifetime",
            "--journal-capacity", "SANDBOX_CONTROL_TOKEN", "/_sandbox/faults", "EXAMPLES",
            RunningSandbox.contoso, DefaultTenants.clientID, "/_sandbox/tenants/{id}/entities", "$batch",
            "statuses", "objectId", "writes=true", "inBatch", "at most 20", "0...20000",
        ]
        for text in words + EntitySet.allCases.map(\.rawValue) {
            #expect(help.output.contains(text), "\(text)")
        }
        let kinds = [
            "throttle", "outage", "error", "quota", "writeQuota", "listLag", "slow", "trickle", "reset",
            "resetAfterCommit", "truncate", "emptyPage", "expiredSkipToken", "nextLink", "churn",
        ]
        for kind in kinds { #expect(help.output.contains("\n  \(kind) "), "\(kind)") }
    }

    @Test(arguments: [
        ["--port", "70000"], ["--token-lifetime", "0"], ["--journal-capacity", "0"], ["--control"],
        ["--control", "--control-token", "short"], ["--nonsense"], ["--tenants", "does-not-exist.json"],
    ])
    func refusesWrongArguments(_ arguments: [String]) throws {
        let finished = try Self.finish(arguments)
        #expect(finished.status != 0)
        #expect(!finished.errors.isEmpty)
        #expect(finished.output.isEmpty)
    }

    @Test func listensServesAndEndsOnSIGTERM() async throws {
        let environment = ["SANDBOX_CONTROL_TOKEN": RunningSandbox.controlToken]
        try await Self.serve(["--control", "--token-lifetime", "77"], environment) { url in
            let server = RunningSandbox(url: url, sandbox: Sandbox(.init(), tenants: []))
            #expect(try await server.requestToken().json["expires_in"] == 77)
            #expect(try await server.control("GET", "tenants").status == 200)
            // A call that is still delayed must not hold the end up.
            try await server.arm(["kind": "slow", "delayMs": 60_000])
            let token = try await server.token()
            let hanging = Task { try await server.get("/v1.0/organization", token) }
            let deadline = ContinuousClock.now + .seconds(10)
            var entries: JSON?
            while entries?[0] == nil, ContinuousClock.now < deadline {
                entries = try await server.control("GET", "journal?path=/v1.0").json["entries"]
            }
            #expect(entries?[0]?["answeredNs"] == .null)
            hanging.cancel()
        }
    }

    @Test func readsTenantsAndTokenFromFiles() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: GUID.random().description)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let tenants = folder.appending(path: "tenants.json")
        let token = folder.appending(path: "token")
        let id = "eeeeeeee-0000-4000-8000-000000000002"
        let tenant: JSON = [
            "id": .string(id), "devices": 3, "app": ["clientId": .string(id), "clientSecret": "file-secret"],
        ]
        try Data(JSON.object(["tenants": [tenant]]).bytes).write(to: tenants)
        try Data("\(RunningSandbox.controlToken)\n".utf8).write(to: token)
        let environment = ["SANDBOX_CONTROL_TOKEN_FILE": token.path()]
        try await Self.serve(["--control", "--tenants", tenants.path()], environment) { url in
            let server = RunningSandbox(url: url, sandbox: Sandbox(.init(), tenants: []))
            let all = try await server.control("GET", "tenants").json["tenants"]?.array
            #expect(all?.map { $0["id"]?.string } == [id])
            #expect(all?[0]["devices"] == 3)
        }
        try Data(#"{"tenants":[{"id":"x"}]}"#.utf8).write(to: tenants)
        let refused = try Self.finish(["--tenants", tenants.path()])
        #expect(refused.status != 0)
        #expect(refused.errors.contains("'id' must be a GUID"))
    }
}
