import Waiting
import Foundation
import Testing

@testable import Curl

/// The running peer: one for the whole test process. It ends with the process, whose pipe it reads.
final class Peer: Sendable {
    static let shared = Peer()

    let authorityFile: String
    private let ports: [String: Int]
    private let process = Process()
    private let input = Pipe()

    private init() {
        signal(SIGPIPE, SIG_IGN)
        // A client that looked at the environment for a proxy would fail every test.
        for name in ["http_proxy", "https_proxy", "all_proxy"] { setenv(name, "http://127.0.0.1:9", 1) }
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", peerScript]
        process.standardInput = input
        process.standardOutput = output
        try! process.run()
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let more = output.fileHandleForReading.availableData
            precondition(!more.isEmpty, "the peer did not start: are python3 3.11 and openssl there?")
            line += more
        }
        let facts = try! JSONSerialization.jsonObject(with: line) as! [String: Any]
        ports = facts.compactMapValues { $0 as? Int }
        authorityFile = facts["ca"] as! String
    }

    func port(_ name: String) -> Int { ports[name]! }

    func url(_ path: String, _ server: String = "http", host: String = "127.0.0.1") -> String {
        "\(server == "http" ? "http" : "https")://\(host):\(port(server))\(path)"
    }

    /// How often the peer saw `key`, or how many bytes it sent for it.
    func count(_ key: String, _ client: CurlClient) async throws -> Int {
        let response = try await client.perform(
            HTTPRequest(url: url("/counter?of=\(key.replacing(" ", with: "%20"))")))
        return Int(String(decoding: response.body, as: UTF8.self))!
    }

    /// Waits until the peer has seen `key` once.
    func wait(for key: String, _ client: CurlClient) async throws {
        try await eventually("the peer sees \(key)") { try await count(key, client) > 0 }
    }
}

/// Runs `body` with a client of its own, and closes it.
func withClient<R>(
    maxConnectionsPerHost: Int = 64, _ body: (CurlClient, Peer) async throws -> R
) async throws -> R {
    let client = CurlClient(userAgent: "TenantAtlas/test", maxConnectionsPerHost: maxConnectionsPerHost)
    do {
        let result = try await body(client, Peer.shared)
        await client.close()
        return result
    } catch {
        await client.close()
        throw error
    }
}

/// The error of a transfer that must fail.
func failure(of request: HTTPRequest, _ client: CurlClient) async -> TransferError? {
    do {
        let response = try await client.perform(request)
        Issue.record("answered \(response)")
        return nil
    } catch {
        return error
    }
}

/// What `/echo` saw.
struct Echo: Decodable {
    let method: String
    let target: String
    let headers: [[String]]
    let body: String
    let connection: Int

    init(_ response: HTTPResponse) throws {
        self = try JSONDecoder().decode(Echo.self, from: Data(response.body))
    }

    func values(_ name: String) -> [String] {
        headers.filter { $0[0].lowercased() == name.lowercased() }.map {
            $0[1].trimmingCharacters(in: .whitespaces)
        }
    }
}
