import CredentialFixtures
import Foundation
import JSON
import Testing

@testable import GraphSandbox

/// Microsoft's own client libraries must work unchanged.
@Suite struct ClientLibraryTests {
    @Test func microsoftsLibrariesAcquireATokenAndPageAllDevices() async throws {
        let python = ProcessInfo.processInfo.environment["TEST_PYTHON"] ?? "python3"
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "msal_client.py")
        let sample = SampleCertificate.shared
        let pem = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pem")
        try Data((sample.privateKey + "\n" + sample.certificate).utf8).write(to: pem)
        defer { try? FileManager.default.removeItem(at: pem) }
        try await RunningSandbox.run { server in
            let registered = try await server.control(
                "PUT", "tenants/\(RunningSandbox.fabrikam)",
                ["app": ["certificates": [.string(sample.certificate)]]])
            #expect(registered.status == 200)
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [
                python, script.path(), server.url, RunningSandbox.fabrikam, DefaultTenants.clientID,
                DefaultTenants.clientSecret, "1250", pem.path(),
            ]
            let (output, errors) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = errors
            let ended = AsyncStream<Void>.makeStream()
            process.terminationHandler = { _ in ended.continuation.finish() }
            try process.run()
            for await _ in ended.stream {}
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let errorText = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            #expect(
                process.terminationStatus == 0,
                """
                The script needs a Python with the packages msal and requests (better: azure-identity and \
                msgraph-core, too); name it in TEST_PYTHON. It said: \(errorText)
                """)
            let done = try? JSON(parsing: text)
            #expect(done?["pages"] == 4)
            #expect(done?["assertions"] == ["PS256", "RS256"])
            #expect(done?["libraries"]?.array?.contains("msal") == true)
        }
    }
}
