import FoundationEssentials
import Operations
import Testing

@testable import Graph

@Suite struct SanitiserTests {
    /// What must never come through, as it is and in the dress it may come along in.
    static let canaries: [String] = {
        let secret = "CANARY~s3cret.value+/=&%"
        let token = "eyJhbGciOiJub25lIn0.eyJ0aWQiOiJDQU5BUlkifQ.Q0FOQVJZ"
        let escaped = String(decoding: URLEscaping.escape(Array(secret.utf8)), as: UTF8.self)
        return [
            secret, "Bearer \(token)", escaped, Data((secret + "x").utf8).base64EncodedString(),
            secret.utf8.map { String($0, radix: 16) }.joined(separator: " "), "\"\(secret)\"",
            "\(secret)\r\nX-Injected: yes", "code=\(secret)", "{\"client_secret\":\"\(secret)\"}",
            "person@customer.example", "Contoso GmbH – Köln", "line\nbreak", "nul\u{0}byte",
            "https://fef.example/x?sig=\(escaped)", String(repeating: "a", count: 65),
            token + String(repeating: "x", count: 20),
        ]
    }()

    @Test(arguments: canaries) func canariesPassNoFilter(_ canary: String) {
        #expect([nil, "other"].contains(Sanitiser.code(canary)))
        #expect(Sanitiser.guid(canary) == nil)
        #expect(Sanitiser.date(canary) == nil)
    }

    @Test(arguments: ["Forbidden", "Request_BadRequest", "activityLimitReached", "AADSTS7000222"])
    func knownCodesPass(_ code: String) { #expect(Sanitiser.code(code) == code) }

    /// A secret may have the form of a code.
    @Test(arguments: [
        "a", "hunter2", "AADSTS", "AADSTS70002222", "AADSTS700022x", "Zm9vYmFyMTIz", "forbidden",
        "Forbidden.", String(repeating: "x", count: 64),
    ])
    func othersAreOnlyCounted(_ code: String) { #expect(Sanitiser.code(code) == "other") }

    @Test(arguments: [nil, "", "a b", "a-b", "a/b", "é", "a\n"] as [String?]) func whatIsNoCode(
        _ text: String?
    ) {
        #expect(Sanitiser.code(text) == nil)
    }

    @Test func guids() {
        let id = "0a1B2c3d-0000-4000-8000-ABCDEFabcdef"
        #expect(Sanitiser.guid(id) == id.lowercased())
        for wrong in [
            "", "0a1B2c3d00004000-8000-ABCDEFabcdef--", "{\(id)}", String(id.dropLast()),
            "g" + id.dropFirst(),
        ] {
            #expect(Sanitiser.guid(wrong) == nil)
        }
    }

    @Test func dates() {
        #expect(Sanitiser.date("Sat, 21 Nov 2026 08:15:00 GMT") == "Sat, 21 Nov 2026 08:15:00 GMT")
        #expect(Sanitiser.date("2026-11-21T08:15:00Z") == nil)
    }

    @Test func pathsTellNoValues() {
        let path: GraphPath = "/v1.0/users/\("person@customer.example")/x('\("a/b?c#d%")')"
        #expect(path.template == "/v1.0/users/{id}/x('{id}')")
        #expect(path.text == "/v1.0/users/person%40customer.example/x('a%2Fb%3Fc%23d%25')")
    }

    @Test func formValuesSurvive() {
        let secret = "sandbox~Secret.1+2/3=4&5%6_7-8"
        #expect(
            String(decoding: URLEscaping.escape(Array(secret.utf8)), as: UTF8.self)
                == "sandbox~Secret.1%2B2%2F3%3D4%265%256_7-8")
        #expect(URLEscaping.query([]) == "")
        #expect(URLEscaping.query([("$select", "id,a b"), ("$top", "1")]) == "?$select=id%2Ca%20b&$top=1")
    }

    @Test func descriptionsHoldWhatIsKept() {
        let failure = GraphFailure(
            .throttled, call: "GET /v1.0/x", retryAfterSeconds: 7, httpStatus: 429,
            requestID: "00000000-0000-4000-8000-000000000001", code: "TooManyRequests",
            date: "Sat, 21 Nov 2026 08:15:00 GMT")
        #expect(
            "\(failure)" == "throttled from GET /v1.0/x, status 429, code TooManyRequests, "
                + "request-id 00000000-0000-4000-8000-000000000001, Sat, 21 Nov 2026 08:15:00 GMT, "
                + "retry after 7.0 s")
    }
}
