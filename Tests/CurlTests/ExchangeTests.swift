import Foundation
import Testing

@testable import Curl

/// Requests that are answered.
@Suite struct ExchangeTests {
    @Test func sendsMethodHeadersAndBodyAsGiven() async throws {
        try await withClient { client, peer in
            let body = [UInt8](0...255)
            let request = HTTPRequest(
                method: "PATCH", url: peer.url("/echo?a=%20b"),
                headers: [
                    ("X-Twice", "one"), ("X-Twice", "two"), ("X-Empty", ""), ("Authorization", "Bearer t"),
                ],
                body: body)
            let echo = try Echo(try await client.perform(request))
            #expect(echo.method == "PATCH")
            #expect(echo.target == "/echo?a=%20b")
            #expect(Data(base64Encoded: echo.body) == Data(body))
            #expect(echo.values("X-Twice") == ["one", "two"])
            #expect(echo.values("X-Empty") == [""])
            #expect(echo.values("Authorization") == ["Bearer t"])
            #expect(echo.values("User-Agent") == ["TenantAtlas/test"])
            #expect(echo.values("Accept-Encoding") == ["gzip"])
            #expect(echo.values("Content-Length") == ["256"])
            #expect(echo.values("Content-Type").isEmpty && echo.values("Expect").isEmpty)
        }
    }

    @Test(arguments: ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
    func sendsEveryMethodWithoutBody(method: String) async throws {
        try await withClient { client, peer in
            let echo = try Echo(try await client.perform(HTTPRequest(method: method, url: peer.url("/echo"))))
            #expect(echo.method == method && echo.body.isEmpty)
            #expect(echo.values("Content-Length") == (["POST", "PUT"].contains(method) ? ["0"] : []))
        }
    }

    @Test func headHasNoBody() async throws {
        try await withClient { client, peer in
            let response = try await client.perform(
                HTTPRequest(method: "HEAD", url: peer.url("/status?code=200")))
            #expect(response.status == 200 && response.body.isEmpty)
        }
    }

    /// Above 1 MiB curl would ask for «100-continue» and wait a second.
    @Test func sendsLargeBodiesAtOnce() async throws {
        try await withClient { client, peer in
            let body = [UInt8](repeating: 7, count: 3 * 1024 * 1024)
            let request = HTTPRequest(method: "POST", url: peer.url("/echo"), body: body)
            let echo = try Echo(try await client.perform(request))
            #expect(Data(base64Encoded: echo.body) == Data(body))
            #expect(echo.values("Expect").isEmpty)
        }
    }

    @Test func readsHeadersWhateverTheirCase() async throws {
        try await withClient { client, peer in
            let headers = try await client.perform(HTTPRequest(url: peer.url("/headers"))).headers
            #expect(headers["x-one"] == "first")
            #expect(headers.all("X-ONE") == ["first", "second"])
            #expect(headers["retry-after"] == "17")
            #expect(headers["X-Empty"] == "")
            #expect(headers["X-Absent"] == nil && headers.all("X-Absent").isEmpty)
        }
    }

    @Test func earlyHintsAreNotTheAnswer() async throws {
        try await withClient { client, peer in
            let response = try await client.perform(HTTPRequest(url: peer.url("/early-hints")))
            #expect(response.status == 200 && response.headers["X-Late"] == "1")
            #expect(response.headers["X-Early"] == nil)
        }
    }

    @Test(arguments: [200, 204, 304, 404, 412, 429, 500, 503])
    func everyStatusIsAnAnswer(code: Int) async throws {
        try await withClient { client, peer in
            let response = try await client.perform(HTTPRequest(url: peer.url("/status?code=\(code)")))
            #expect(response.status == code)
        }
    }

    @Test func redirectsAreNotFollowed() async throws {
        try await withClient { client, peer in
            let response = try await client.perform(HTTPRequest(url: peer.url("/redirect")))
            #expect(response.status == 302 && response.headers["Location"] == "/echo")
            #expect(response.body == Array("away".utf8))
        }
    }

    @Test func decodesChunksAndGzip() async throws {
        try await withClient { client, peer in
            let chunked = try await client.perform(HTTPRequest(url: peer.url("/chunked")))
            #expect(chunked.body == Array("hello world".utf8))
            let packed = try await client.perform(HTTPRequest(url: peer.url("/gzip")))
            #expect(packed.body == Array(String(repeating: "plain ", count: 1000).utf8))
        }
    }

    @Test func keepsConnections() async throws {
        try await withClient { client, peer in
            let first = try Echo(try await client.perform(HTTPRequest(url: peer.url("/echo"))))
            let second = try Echo(
                try await client.perform(HTTPRequest(method: "POST", url: peer.url("/echo"), body: [1])))
            #expect(first.connection == second.connection)
        }
    }

    /// A handle that is used again must carry nothing over from its last request.
    @Test func reusedHandlesForgetTheLastRequest() async throws {
        try await withClient { client, peer in
            let secretive = HTTPRequest(
                method: "DELETE", url: peer.url("/echo"), headers: [("Authorization", "secret")],
                body: [1, 2, 3],
                bodyLimit: 10_000)
            _ = try await client.perform(secretive)
            let echo = try Echo(try await client.perform(HTTPRequest(url: peer.url("/echo"))))
            #expect(echo.method == "GET" && echo.body.isEmpty)
            #expect(echo.values("Authorization").isEmpty && echo.values("Content-Length").isEmpty)
        }
    }

    @Test func verifiesAndAcceptsAGoodCertificate() async throws {
        try await withClient { client, peer in
            for host in ["localhost", "127.0.0.1"] {
                let request = HTTPRequest(
                    url: peer.url("/echo", "https", host: host), trustedCAFile: peer.authorityFile)
                let status = try await client.perform(request).status
                #expect(status == 200)
            }
        }
    }

    @Test func carriesFiveHundredAtOnce() async throws {
        try await withClient(maxConnectionsPerHost: 512) { client, peer in
            let request = HTTPRequest(url: peer.url("/gather?of=500"))
            try await withThrowingTaskGroup { group in
                for _ in 0..<500 { group.addTask { try await client.perform(request).status } }
                for try await status in group { #expect(status == 200) }
            }
        }
    }

    @Test func whatExceedsTheConnectionsWaitsItsTurn() async throws {
        try await withClient(maxConnectionsPerHost: 4) { client, peer in
            let request = HTTPRequest(url: peer.url("/echo"))
            let connections = try await withThrowingTaskGroup { group in
                for _ in 0..<200 { group.addTask { try Echo(try await client.perform(request)).connection } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect((1...4).contains(connections.count))
        }
    }
}
