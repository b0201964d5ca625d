import Foundation
import JSON
import Sealing
import Testing

@testable import Atlas

@Suite struct KeyTests {
    private func inFolder(_ body: (URL, AtlasProcess) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder, AtlasProcess(environment: [:]))
    }

    private func text(_ folder: URL, _ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    private func mode(_ folder: URL, _ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: folder.appending(path: name).path())[
            .posixPermissions]
            as? Int
    }

    @Test func makesAPairThatFits() async throws {
        try await inFolder { folder, atlas in
            let arguments = [
                "keys", "generate", "--private-key", folder.appending(path: "k").path(), "--public-key",
                folder.appending(path: "k.pub").path(),
            ]
            let made = try await atlas.run(arguments + ["--json"])
            #expect(made.status == 0, "\(made.errors)")
            let pair = try SealingPrivateKey(text: text(folder, "k"))
            let other = try SealingPublicKey(text: text(folder, "k.pub"))
            #expect(pair.publicKey.id == other.id)
            #expect(try made.json["key_id"]?.string == "\(other.id)")
            #expect(!made.output.contains(pair.text))
            #expect(try mode(folder, "k") == 0o600)
            #expect(try mode(folder, "k.pub") == 0o644)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()).count == 2)
        }
    }

    @Test func replacesOnlyWhenForced() async throws {
        try await inFolder { folder, atlas in
            let arguments = [
                "keys", "generate", "--private-key", folder.appending(path: "k").path(), "--public-key",
                folder.appending(path: "k.pub").path(),
            ]
            #expect(try await atlas.run(arguments).status == 0)
            let before = try text(folder, "k")
            let refused = try await atlas.run(arguments)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("--force"))
            #expect(try text(folder, "k") == before)
            #expect(try await atlas.run(arguments + ["--force"]).status == 0)
            #expect(try text(folder, "k") != before)
            #expect(try mode(folder, "k") == 0o600)
        }
    }

    @Test func aFolderThatIsNotThereIsNamed() async throws {
        try await inFolder { folder, atlas in
            let refused = try await atlas.run(
                "keys", "generate", "--private-key", folder.appending(path: "no/k").path(), "--public-key",
                folder.appending(path: "k.pub").path())
            #expect(refused.status == 1)
            #expect(refused.errors.contains("no/k could not be written"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()).isEmpty)
        }
    }
}
