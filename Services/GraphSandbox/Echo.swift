import FoundationEssentials
import HTTPTypes

/// An error answer that repeats, in many dresses and in every place that a client might keep, what a client must never
/// keep: the secret or token that the call showed, and a text that whoever armed the fault chose.
struct Echo: Sendable {
    private let texts: [String]

    /// - Parameter text: beside what the call shows; a tenant's secret, for calls that show a token only.
    init(of call: IncomingCall, and text: String?) {
        let form = call.contentType?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true
        let shown = form ? QueryString(String(decoding: call.body, as: UTF8.self)) : QueryString("")
        texts = [call.bearerToken, shown["client_secret"], shown["client_assertion"], text].compactMap(\.self)
    }

    func answer(status: Int, _ errors: GraphErrors) -> Answer {
        let dresses = texts.flatMap(Self.dresses)
        let all = dresses.joined(separator: " ")
        // The one that has the form of a code, where clients look for a code.
        let code = texts.first.map(Self.hexadecimal) ?? "Echo"
        var answer = errors.plain(status, String(code.prefix(64)), all)
        for (index, dress) in dresses.enumerated() where dress.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        {
            answer.add(HTTPField.Name("x-echo-\(index)")!, dress)
        }
        if let text = texts.first, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            answer.add(.retryAfter, text)
            answer.add(.wwwAuthenticate, "Bearer error_description=\"\(text)\", client_secret=\(text)")
            answer.add(
                .location,
                "https://login.example/?client_secret=\(Self.percentEncoded(text))&access_token=\(code)")
        }
        return answer
    }

    /// As it is, in base64 and base64url, in hexadecimal, percent-encoded, escaped as JSON, and in halves.
    private static func dresses(of text: String) -> [String] {
        let base64 = Data(text.utf8).base64EncodedString()
        return [
            text, base64, base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: ""),
            hexadecimal(text), percentEncoded(text),
            text.unicodeScalars.map { "\\u" + String(String($0.value + 0x1_0000, radix: 16).dropFirst()) }
                .joined(),
            String(text.prefix(text.count / 2)) + "\\n" + String(text.suffix(text.count - text.count / 2)),
        ]
    }

    private static func hexadecimal(_ text: String) -> String {
        text.utf8.map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined()
    }

    private static func percentEncoded(_ text: String) -> String {
        text.utf8.map { "%" + String(Int($0) + 0x100, radix: 16).dropFirst().uppercased() }.joined()
    }
}
