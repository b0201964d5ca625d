import Curl
import Fixtures
import Foundation
import JSON
import Operations
import Sealing
import Store

@testable import Notifier

/// The receiver of webhooks, in a process of its own.
final class Receiver: Sendable {
    /// What it saw of one request.
    struct Sighting: Sendable, Hashable {
        let path: String
        let method: String
        let id: String
        /// Whether the signature was right and the time stamp of now.
        let isVerified: Bool
        let contentType: String?
        let body: String
    }

    let secret = "whsec_\(Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString())"
    let port: Int
    private let process = Process()
    private let input = Pipe()
    private let client = CurlClient(userAgent: "test")

    init() throws {
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", receiverScript]
        process.environment = ProcessInfo.processInfo.environment.merging(["RECEIVER_SECRET": secret]) { $1 }
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw NotInTime(description: "the receiver did not start: is python3 there?")
        }
        self.port = port
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func url(_ path: String, scheme: String = "http") -> String { "\(scheme)://127.0.0.1:\(port)\(path)" }

    /// Everything it saw so far, in order.
    func seen() async throws -> [Sighting] {
        let response = try await client.perform(HTTPRequest(url: url("/seen")))
        return (try JSON(parsing: response.body).array ?? []).map { one in
            Sighting(
                path: one["path"]?.string ?? "", method: one["method"]?.string ?? "",
                id: one["id"]?.string ?? "", isVerified: one["verified"]?.bool ?? false,
                contentType: one["content_type"]?.string, body: one["body"]?.string ?? "")
        }
    }

    /// Waits until it has seen so many.
    func seen(_ count: Int) async throws -> [Sighting] {
        try await eventually("the receiver has seen \(count) requests", within: .seconds(40)) {
            let seen = try await seen()
            return seen.count >= count ? seen : nil
        }
    }
}

extension Scene {
    /// Sets where `user` is told, with the secret sealed to `key` or to the scene's own.
    func setWebhook(
        of user: UserID, _ url: String, secret: String, sealedTo key: SealingPublicKey? = nil
    ) async throws {
        let publicKey = key ?? self.key.publicKey
        let sealed = try Sealer(publicKey: publicKey).seal(
            Sealing.Secret(Array(secret.utf8)),
            .webhookSecret(workspace: world.workspace.uuid, user: user.uuid))
        try await Administration(pool: pool, makeID: { UUID() }).setWebhook(
            of: user, url: url, keyID: "\(publicKey.id)", sealedSecret: sealed.bytes, in: world.workspace,
            by: .user(user))
    }
}
