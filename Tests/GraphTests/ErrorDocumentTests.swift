import JSON
import Testing

@testable import Graph

@Suite struct ErrorDocumentTests {
    private func code(_ document: JSON) -> String? { ErrorDocument(document.bytes).code }

    /// From the outermost to the innermost.
    private static let codes = ["BadRequest", "Conflict", "Forbidden", "NotFound", "Locked", "Unauthorized"]

    /// An error of Intune: `text` is wrapped `levels` times, with a code at each level.
    private func wrapped(_ levels: Int) -> JSON {
        var error: JSON = ["code": .string(Self.codes[levels]), "message": "text"]
        for level in stride(from: levels - 1, through: 0, by: -1) {
            error = ["code": .string(Self.codes[level]), "message": .string(error.text)]
        }
        return ["error": error]
    }

    @Test func plainCode() {
        #expect(code(["error": ["code": "Forbidden", "message": "no"]]) == "Forbidden")
        #expect(code(["error": ["code": "Request_BadRequest"]]) == "Request_BadRequest")
    }

    @Test func unwrapsUpToThreeLevels() {
        #expect(
            (0...5).map { code(wrapped($0)) } == Self.codes[0...3] + [Self.codes[3], Self.codes[3]])
    }

    @Test func intunesOwnShapeKeepsTheOuterCode() {
        let inner: JSON = [
            "_version": 3,
            "Message": "An error - Operation ID: 0 - Activity ID: 1 - Url: https://fef.example",
            "CustomApiErrorPhrase": "", "RetryAfter": nil, "HttpHeaders": "{}",
        ]
        #expect(code(["error": ["code": "Forbidden", "message": .string(inner.text)]]) == "Forbidden")
    }

    @Test func secondWrapper() {
        let inner: JSON = ["ErrorCode": "Forbidden", "Message": "m", "Target": nil, "InnerError": nil]
        #expect(code(["error": ["code": "UnknownError", "message": .string(inner.text)]]) == "Forbidden")
    }

    @Test(arguments: ["innerError", "innererror"]) func innerErrors(_ key: String) {
        var error: JSONObject = ["code": "BadRequest", "message": "m"]
        error[key] = ["code": "ModelValidationFailure", "date": "2026-11-21T08:15:00"]
        #expect(code(["error": .object(error)]) == "ModelValidationFailure")
        error[key] = ["date": "2026-11-21T08:15:00", "request-id": "r"]
        #expect(code(["error": .object(error)]) == "BadRequest")
    }

    static let withoutCode: [String] = [
        "", "<html>Bad Gateway</html>", "[]", "null", "{}", "{\"error\":null}", "{\"error\":\"text\"}",
        "{\"error\":{\"code\":\"\"}}", "{\"error\":{\"code\":7}}", "{\"error\":{\"code\":\"with blank\"}}",
        "{\"error\":{\"code\":\"\u{e4}\"}}", "{\"error\":{\"message\":\"{broken\"}}",
    ]

    @Test(arguments: withoutCode) func nothingToKeep(_ body: String) {
        #expect(ErrorDocument(Array(body.utf8)).code == nil)
    }

    @Test func tokenErrors() {
        let body: JSON = [
            "error": "invalid_client", "error_codes": [7_000_222, "x"], "error_description": "secret",
        ]
        let document = TokenErrorDocument(body.bytes)
        #expect(document.error == "invalid_client")
        #expect(document.codes == [7_000_222])
        #expect(TokenErrorDocument(Array("<html>".utf8)) == TokenErrorDocument([]))
    }
}
