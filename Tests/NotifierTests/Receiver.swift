import Waiting
import ServiceKit
import Curl
import Fixtures
import Foundation
import JSON
import JobRuntime
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
        /// By which of the receiver's keys it is signed, while its time stamp is of now.
        let verifiedBy: [Int]
        let signatures: Int
        let contentType: String?
        let body: String

        var isVerified: Bool { !verifiedBy.isEmpty }
    }

    /// What its first key is.
    let secret: String
    let port: Int
    /// Where connections are counted, and nobody may come.
    let trapPort: Int
    private let process = Process()
    private let input = Pipe()
    private let client = CurlClient(userAgent: "test")

    /// `more`: keys that it verifies with beside its secret.
    init(_ more: String...) throws {
        secret = Self.randomSecret()
        let keys = JSON.array(([secret] + more).map { .string($0) }).text
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", receiverScript]
        process.environment = ProcessInfo.processInfo.environment.merging(["RECEIVER_KEYS": keys]) { $1 }
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while line.last != UInt8(ascii: "\n"), case let more = output.fileHandleForReading.availableData,
            !more.isEmpty
        {
            line += more
        }
        let ports = String(decoding: line, as: UTF8.self).split { $0.isWhitespace }.compactMap { Int($0) }
        guard ports.count == 2 else {
            throw NotInTime(description: "the receiver did not start: is python3 there?")
        }
        (port, trapPort) = (ports[0], ports[1])
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    static func randomSecret() -> String {
        "whsec_\(Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString())"
    }

    func url(_ path: String, scheme: String = "http") -> String { "\(scheme)://127.0.0.1:\(port)\(path)" }

    /// Everything it saw so far, in order.
    func seen() async throws -> [Sighting] {
        let response = try await client.perform(HTTPRequest(url: url("/seen")))
        return (try JSON(parsing: response.body).array ?? []).map { one in
            Sighting(
                path: one["path"]?.string ?? "", method: one["method"]?.string ?? "",
                id: one["id"]?.string ?? "",
                verifiedBy: one["by"]?.array?.compactMap(\.integer) ?? [],
                signatures: one["signatures"]?.integer ?? 0,
                contentType: one["content_type"]?.string, body: one["body"]?.string ?? "")
        }
    }

    /// How many connections came to where nobody may come.
    func trapped() async throws -> Int {
        let response = try await client.perform(HTTPRequest(url: url("/trapped")))
        return Int(String(decoding: response.body, as: UTF8.self)) ?? -1
    }

    /// Waits until it has seen so many.
    func seen(_ count: Int) async throws -> [Sighting] {
        try await eventually("the receiver has seen \(count) requests") {
            let seen = try await seen()
            return seen.count >= count ? seen : nil
        }
    }
}

extension Scene {
    /// Gives `user` a webhook with a secret or private key, everything sealed to `key` or to the scene's own.
    @discardableResult
    func addWebhook(
        of user: UserID, _ url: String, key: String, signing: WebhookSigning = .hmacSHA256,
        sealedTo publicKey: SealingPublicKey? = nil
    ) async throws -> WebhookID {
        let id = WebhookID(UUID.timeOrdered())
        let publicKey = publicKey ?? self.key.publicKey
        let made = try await Webhooks(pool: pool).create(
            NewWebhook(
                id: id, user: user, label: "tickets", origin: "https://example.org",
                address: seal(
                    url, .webhookAddress(workspace: world.workspace.uuid, webhook: id.uuid), publicKey),
                signing: signing, key: sealed(key, number: 1, of: id, publicKey)),
            in: world.workspace, by: world.owner)
        guard made == .created else { throw NotInTime(description: "\(made)") }
        return id
    }

    /// A signing key as it is stored.
    func sealed(
        _ key: String, number: Int, of webhook: WebhookID, _ publicKey: SealingPublicKey
    ) throws -> NewWebhook.NewKey {
        let context = SealingContext.webhookKey(
            workspace: world.workspace.uuid, webhook: webhook.uuid, number: number)
        return NewWebhook.NewKey(secret: try seal(key, context, publicKey), publicKey: nil)
    }

    private func seal(
        _ text: String, _ context: SealingContext, _ publicKey: SealingPublicKey
    ) throws -> SealedValue {
        let sealed = try Sealer(publicKey: publicKey).seal(Sealing.Secret(Array(text.utf8)), context)
        return SealedValue(keyID: "\(sealed.keyID)", bytes: sealed.bytes)
    }
}
