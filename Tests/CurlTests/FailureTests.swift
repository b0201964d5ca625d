import Foundation
import Testing

@testable import Curl

/// Requests that are not answered, and what the error says about them.
@Suite struct FailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let path: String
        let kind: TransferError.Kind
        var method = "GET"
        var limit = 1 << 20
        var timeout = Duration.seconds(20)
        var testDescription: String { "\(method) \(path)" }
    }

    @Test(arguments: [
        Case(path: "/truncated", kind: .truncated),
        Case(path: "/chunked-cut", kind: .truncated),
        Case(path: "/reset-before", kind: .reset(sent: true)),
        Case(path: "/reset-before", kind: .reset(sent: true), method: "POST"),
        Case(path: "/close-before", kind: .reset(sent: true)),
        Case(path: "/reset-after", kind: .reset(sent: true)),
        Case(path: "/garbage", kind: .protocolViolation),
        Case(path: "/not-gzip", kind: .protocolViolation),
        Case(path: "/endless-headers", kind: .reset(sent: true)),
        Case(path: "/huge", kind: .bodyTooLarge),
        Case(path: "/endless", kind: .bodyTooLarge),
        Case(path: "/bomb", kind: .bodyTooLarge),
        Case(path: "/chunked", kind: .bodyTooLarge, limit: 10),
        Case(path: "/never", kind: .timeout, timeout: .seconds(2)),
        Case(path: "/headers-then-never", kind: .timeout, timeout: .seconds(2)),
    ])
    func saysWhatHappenedAfterSending(_ example: Case) async throws {
        try await withClient { client, peer in
            let request = HTTPRequest(
                method: example.method, url: peer.url(example.path), timeout: example.timeout,
                bodyLimit: example.limit)
            let error = await failure(of: request, client)
            #expect(error?.kind == example.kind)
            #expect(error?.requestMayHaveBeenSent == true)
            let status = try await client.perform(HTTPRequest(url: peer.url("/"))).status
            #expect(status == 200)
        }
    }

    @Test func readsUpToTheLimitExactly() async throws {
        try await withClient { client, peer in
            let response = try await client.perform(HTTPRequest(url: peer.url("/chunked"), bodyLimit: 11))
            #expect(response.body.count == 11)
            let empty = try await client.perform(HTTPRequest(url: peer.url("/status?code=200"), bodyLimit: 0))
            #expect(empty.body.isEmpty)
        }
    }

    @Test func stopsReadingAtTheLimit() async throws {
        try await withClient { client, peer in
            let error = await failure(
                of: HTTPRequest(url: peer.url("/endless?key=stop"), bodyLimit: 100_000), client)
            #expect(error?.kind == .bodyTooLarge)
            // What fits into the buffers between, but not 100 MiB.
            let seen = try await peer.count("sentstop", client)
            #expect(seen < 20 << 20)
        }
    }

    @Test func refusedConnectionsSentNothing() async throws {
        try await withClient { client, _ in
            let error = await failure(
                of: HTTPRequest(method: "POST", url: "http://127.0.0.1:1/", body: [1]), client)
            #expect(error?.kind == .connect && error?.requestMayHaveBeenSent == false)
        }
    }

    @Test func unknownHostsSentNothing() async throws {
        try await withClient { client, _ in
            let request = HTTPRequest(url: "http://no-such-host.invalid/", connectTimeout: .seconds(20))
            let error = await failure(of: request, client)
            #expect(error?.kind == .resolve && error?.requestMayHaveBeenSent == false)
        }
    }

    @Test(arguments: [("foreign", "127.0.0.1"), ("other", "127.0.0.1"), ("other", "localhost")])
    func badCertificatesAreRefused(server: String, host: String) async throws {
        try await withClient { client, peer in
            let url = "https://\(host):\(peer.port(server))/echo?key=tls-\(server)"
            let error = await failure(of: HTTPRequest(url: url, trustedCAFile: peer.authorityFile), client)
            #expect(error?.kind == .tls && error?.requestMayHaveBeenSent == false)
            let seen = try await peer.count("tls-\(server)", client)
            #expect(seen == 0)
        }
    }

    @Test func theSystemDoesNotTrustThePeer() async throws {
        try await withClient { client, peer in
            let trusting = HTTPRequest(
                url: peer.url("/echo", "https"), trustedCAFile: peer.authorityFile)
            let status = try await client.perform(trusting).status
            #expect(status == 200)
            // The connection that is kept was verified with another authority: it must not be used.
            let error = await failure(of: HTTPRequest(url: peer.url("/echo", "https")), client)
            #expect(error?.kind == .tls)
            let missing = HTTPRequest(url: peer.url("/echo", "https"), trustedCAFile: "/no/such/file.pem")
            #expect(await failure(of: missing, client)?.kind == .tls)
        }
    }

    @Test func aSilentHandshakeTimesOutUnsent() async throws {
        try await withClient { client, peer in
            let request = HTTPRequest(
                url: "https://127.0.0.1:\(peer.port("silent"))/", connectTimeout: .milliseconds(200))
            let started = ContinuousClock.now
            let error = await failure(of: request, client)
            #expect(error?.kind == .timeout && error?.requestMayHaveBeenSent == false)
            #expect(ContinuousClock.now - started < .seconds(5))
        }
    }

    @Test func waitingForAConnectionCountsAndSendsNothing() async throws {
        try await withClient(maxConnectionsPerHost: 1) { client, peer in
            try await withClient { observer, _ in
                let first = Task {
                    try await client.perform(HTTPRequest(url: peer.url("/held?until=let-go&key=hog")))
                }
                try await peer.wait(for: "hog", observer)
                let request = HTTPRequest(
                    method: "POST", url: peer.url("/echo?key=behind-hog"), timeout: .milliseconds(100))
                let error = await failure(of: request, client)
                #expect(error?.kind == .timeout && error?.requestMayHaveBeenSent == false)
                _ = try await observer.perform(HTTPRequest(url: peer.url("/echo?key=let-go")))
                #expect(try await first.value.status == 200)
                let seen = try await peer.count("behind-hog", observer)
                #expect(seen == 0)
            }
        }
    }

    /// curl repeats a request by itself when a kept connection breaks. The peer may have carried it out.
    @Test func onlySafeMethodsAreRepeated() async throws {
        try await withClient(maxConnectionsPerHost: 1) { client, peer in
            let url = peer.url("/fragile?key=post")
            let status = try await client.perform(HTTPRequest(method: "POST", url: url, body: [1])).status
            #expect(status == 200)
            let error = await failure(of: HTTPRequest(method: "POST", url: url, body: [1]), client)
            #expect(error?.kind == .reset(sent: true) && error?.requestMayHaveBeenSent == true)
            let seen = try await peer.count("post", client)
            #expect(seen == 2)
        }
        try await withClient(maxConnectionsPerHost: 1) { client, peer in
            let request = HTTPRequest(url: peer.url("/fragile?key=get"))
            for _ in 0..<2 {
                let status = try await client.perform(request).status
                #expect(status == 200)
            }
            let seen = try await peer.count("get", client)
            #expect(seen == 3)
        }
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/", "smtp://127.0.0.1/", "gopher://127.0.0.1/", "127.0.0.1",
        "//x",
        "http://", "http:///path", "http://user@host/", "http://user:password@host/", "http://host:99999/",
        "http://host/a b", "http://host/\r\nX: y", "http://host/\0", "http://host/\u{7F}", "http://höst/", "",
        "http://host/" + String(repeating: "x", count: 16_384),
    ])
    func refusesURLs(url: String) async throws {
        try await withClient { client, _ in
            let error = await failure(of: HTTPRequest(url: url), client)
            #expect(error?.kind == .invalidRequest && error?.requestMayHaveBeenSent == false)
        }
    }

    @Test(arguments: [
        ("", "x"), ("X Y", "x"), ("X:", "x"), ("X\r\nY", "x"), ("X\0", "x"), ("É", "x"),
        ("X", "a\r\nHost: evil"), ("X", "a\nb"), ("X", "a\rb"), ("X", "a\0b"), ("X", "a\u{1}"),
        ("X", "\u{7F}"),
        ("Host", "evil"), ("content-length", "0"), ("Transfer-Encoding", "chunked"), ("Connection", "close"),
        ("Expect", "100-continue"), ("User-Agent", "x"), ("Accept-Encoding", "br"), ("Upgrade", "h2c"),
        ("X", String(repeating: "x", count: 65_536)),
    ])
    func refusesHeaders(name: String, value: String) async throws {
        try await withClient { client, peer in
            let request = HTTPRequest(url: peer.url("/echo"), headers: [(name, value)])
            #expect(await failure(of: request, client)?.kind == .invalidRequest)
        }
    }

    @Test func refusesMethodsAndLimitsThatMakeNoSense() async throws {
        try await withClient { client, peer in
            let url = peer.url("/echo")
            let requests = [
                HTTPRequest(method: "get", url: url), HTTPRequest(method: "", url: url),
                HTTPRequest(method: "GET / HTTP/1.1\r\nX:", url: url), HTTPRequest(url: url, timeout: .zero),
                HTTPRequest(url: url, connectTimeout: .seconds(-1)), HTTPRequest(url: url, bodyLimit: -1),
                HTTPRequest(url: url, headers: (0...64).map { ("X-\($0)", "") }),
                HTTPRequest(url: url, trustedCAFile: "/a\0b"), HTTPRequest(url: url, trustedCAFile: ""),
            ]
            for request in requests {
                #expect(await failure(of: request, client)?.kind == .invalidRequest)
            }
        }
    }

    @Test func descriptionsKeepSecrets() {
        let request = HTTPRequest(
            url: "https://hooks.example/path-secret?query-secret",
            headers: [("Authorization", "header-secret")],
            body: Array("body-secret".utf8))
        let named = HTTPRequest(url: "https://user:name-secret@hooks.example/")
        var dumped = ""
        dump(request, to: &dumped)
        for text in ["\(request)", "\(named)", String(reflecting: request), dumped] {
            #expect(!text.contains("secret"))
        }
        #expect("\(request)" == "GET https://hooks.example")
    }
}
