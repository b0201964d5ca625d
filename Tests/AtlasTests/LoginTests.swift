import Foundation
import JSON
import Testing

/// What a broker loads when it starts, from the files that the services read.
@Suite struct LoginTests {
    private func inFolder(_ body: (URL, AtlasProcess) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder, AtlasProcess(environment: [:]))
    }

    private func file(_ folder: URL, _ name: String, _ text: String) throws -> String {
        let file = folder.appending(path: name)
        try (text + "\n").write(to: file, atomically: true, encoding: .utf8)
        return file.path()
    }

    @Test func theDefinitionsAreWritten() async throws {
        try await inFolder { folder, atlas in
            let files = [
                try file(folder, "a", "amqps://starter:an-open-word@broker/place?declare=false"),
                try file(folder, "b", "amqps://bulk-consumer:another-one@broker/place?declare=false"),
            ]
            let output = folder.appending(path: "definitions.json").path()
            let made = try await atlas.run(["broker-definitions", "--output", output, "--json"] + files)
            #expect(made.status == 0, "\(made.errors)")
            #expect(try made.json["users"]?.array?.compactMap(\.string) == ["starter", "bulk-consumer"])
            let text = try String(contentsOfFile: output, encoding: .utf8)
            #expect(try JSON(parsing: text)["vhosts"]?[0]?["name"]?.string == "place")
            #expect(!(text + made.output).contains("an-open-word"))
        }
    }

    @Test(arguments: [
        ["amqp://somebody:secret-1@broker/x"],
        ["amqp://starter:secret-1@broker/x", "amqp://starter:secret-1@broker/x"],
        ["amqp://starter:secret-1@broker/x", "amqp://notifier:secret-1@broker/y"], ["starter"],
    ])
    func whatFitsNobodyIsRefused(addresses: [String]) async throws {
        try await inFolder { folder, atlas in
            let files = try addresses.enumerated().map { try file(folder, "\($0.offset)", $0.element) }
            let output = folder.appending(path: "definitions.json").path()
            let refused = try await atlas.run(["broker-definitions", "--output", output] + files)
            #expect(refused.status == 2, "\(refused.output)")
            #expect(!refused.errors.contains("secret-1"))
            #expect(!FileManager.default.fileExists(atPath: output))
        }
    }

    @Test func aDatabaseLoginOfNobodyIsRefused() async throws {
        try await inFolder { folder, atlas in
            let refused = try await atlas.run([
                "database-logins", try file(folder, "a", "postgres://postgres:secret-1@db/x"),
            ])
            #expect(refused.status == 2, "\(refused.output)")
            #expect(refused.errors.contains("postgres") && !refused.errors.contains("secret-1"))
        }
    }

    @Test func theVersionIsTold() async throws {
        let atlas = AtlasProcess(environment: ["TENANTATLAS_COMMIT": "abc123"])
        #expect(try await atlas.run("--version").output == "atlas 0.1.0, commit abc123\n")
    }
}
