import Foundation
import JSON
import SeededRandom
import Testing

@testable import Graph

/// Whatever a provider's answer repeats of a secret, in whatever dress: nothing of it is kept.
@Suite struct RedactionTests {
    @Test func errorDocumentsKeepNothingOfASecret() {
        var (random, seed) = SplitMix.announced(for: "redaction")
        for _ in 0..<2_000 {
            let secret = Self.secret(&random)
            for form in Self.forms(of: secret) {
                for body in Self.bodies(with: form, &random) {
                    let kept = "\(ErrorDocument(body).code ?? "")"
                    #expect(kept.isEmpty || kept == "other" || kept == "Forbidden", "seed \(seed): \(kept)")
                }
                #expect(Sanitiser.guid(form) == nil)
                #expect(Sanitiser.date(form) == nil)
            }
        }
    }

    /// 8 to 40 characters as secrets have them: also some that could be a code.
    private static func secret(_ random: inout SplitMix) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        let alphabet = Bool.random(using: &random) ? letters : letters + Array("~._-+/=&% \"\\ü")
        return String(
            (0..<Int.random(in: 8...40, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
    }

    private static func forms(of secret: String) -> [String] {
        let bytes = Array(secret.utf8)
        let base64 = Data(bytes).base64EncodedString()
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let json = JSON.string(secret).text
        return [
            secret, base64,
            base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: ""),
            hex, hex.uppercased(), String(decoding: URLEscaping.escape(bytes), as: UTF8.self),
            String(json.dropFirst().dropLast()), String(secret.reversed()), "Bearer \(secret)",
            String(secret.prefix(secret.count / 2)), String(secret.suffix(secret.count / 2)),
        ]
    }

    /// Errors of the provider's shapes, with the text in one member of each.
    private static func bodies(with text: String, _ random: inout SplitMix) -> [[UInt8]] {
        let wrapped: JSON = [
            "ErrorCode": .string(text), "Message": .string(text), "CustomApiErrorPhrase": .string(text),
        ]
        return [
            ["error": ["code": .string(text), "message": .string(text)]],
            ["error": ["code": "Forbidden", "message": .string(wrapped.text)]],
            [
                "error": [
                    "code": "Forbidden", "innerError": ["code": .string(text), "request-id": .string(text)],
                ]
            ],
            ["error": .string(text)],
        ].map { (json: JSON) in json.bytes } + [Array(text.utf8)]
    }
}
