import Waiting
import Curl
import Fixtures
import Foundation
import JSON
import Operations
import Store

@testable import Notifier

/// The relay that takes mails, in a process of its own.
final class MailReceiver: Sendable {
    /// One mail as it arrived.
    struct Mail: Sendable {
        let isEncrypted: Bool
        let login: [String]
        let sender: String
        let recipients: [String]
        let headers: [(name: String, value: String)]
        let text: String

        func header(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
    }

    /// How its ports speak.
    enum Port: String, Sendable, CaseIterable {
        case plain, starttls, implicit
    }

    /// The file with the authority that its certificate can be checked by.
    let authority: String
    private let ports: [String: Int]
    private let process = Process()
    private let input = Pipe()
    private let client = CurlClient(userAgent: "test")

    init() throws {
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", mailReceiverScript]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else {
                throw NotInTime(description: "the relay did not start: are python3 and openssl there?")
            }
            line += more
        }
        let facts = try JSON(parsing: Array(line.dropLast()))
        authority = facts["authority"]?.string ?? ""
        ports = Dictionary(
            uniqueKeysWithValues: (facts.object?.members ?? []).compactMap { name, value in
                value.integer.map { (name, $0) }
            })
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func port(_ port: Port) -> Int { ports[port.rawValue]! }

    /// The settings of a notifier that sends by it.
    func settings(
        _ port: Port = .starttls, security: MailRelay.Security = .startTLSRequired,
        password: String? = nil, console: String? = "https://console.example"
    ) -> MailSettings {
        MailSettings(
            relay: MailRelay(
                host: "localhost", port: self.port(port), security: security,
                credentials: password.map { MailRelay.Credentials(user: "atlas", password: $0) },
                trustedCAFile: authority),
            sender: EmailAddress("atlas@provider.example")!, console: console)
    }

    /// Every mail that it took so far, in order; also those whose sender was not told.
    func mails() async throws -> [Mail] {
        let response = try await client.perform(HTTPRequest(url: "http://127.0.0.1:\(ports["http"]!)/"))
        return (try JSON(parsing: response.body).array ?? []).map { mail in
            Mail(
                isEncrypted: mail["tls"]?.bool ?? false,
                login: mail["login"]?.array?.compactMap(\.string) ?? [],
                sender: mail["sender"]?.string ?? "",
                recipients: mail["recipients"]?.array?.compactMap(\.string) ?? [],
                headers: (mail["headers"]?.array ?? []).map {
                    ($0[0]?.string ?? "", $0[1]?.string ?? "")
                },
                text: mail["text"]?.string ?? "")
        }
    }

    /// Waits until it has taken so many.
    func mails(_ count: Int) async throws -> [Mail] {
        try await eventually("the relay has taken \(count) mails") {
            let mails = try await mails()
            return mails.count >= count ? mails : nil
        }
    }
}

extension Scene {
    /// The person wants to be told by e-mail, or not.
    func setEmail(of user: UserID, _ address: String, isEnabled: Bool = true) async throws {
        try await EmailSettings(pool: pool).set(
            EmailSettings.Setting(address: address, isEnabled: isEnabled), of: user)
    }
}
