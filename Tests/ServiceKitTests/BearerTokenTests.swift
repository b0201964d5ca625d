import FoundationEssentials
import Testing

@testable import ServiceKit

/// Tokens, and the form of base64 that they are written in.
struct BearerTokenTests {
    @Test func base64URLHasOneTextForEachValue() {
        for count in 0..<70 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max) }
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(text) == bytes)
            let plain = Data(bytes).base64EncodedString().filter { $0 != "=" }
            #expect(text == plain.replacing("+", with: "-").replacing("/", with: "_"))
        }
        for text in ["A", "AB", "AAB", "AA==", "AA+/", "Ä"] {
            #expect(Base64URL.decode(text) == nil, "\(text)")
        }
    }

    @Test func tokensHaveOneForm() throws {
        let token = BearerToken.random()
        #expect(token.reveal().hasPrefix("ta_"))
        #expect(token.reveal().utf8.count == 46)
        #expect(BearerToken(token.reveal())?.hash == token.hash)
        #expect(token.hash.count == 32)
        #expect(BearerToken.random().reveal() != token.reveal())
        let body = token.reveal().dropFirst(3)
        for text in [
            "tb_\(body)", "ta_\(body)A", "ta_\(body.dropLast())", "TA_\(body)", "ta_\(body.dropLast())=",
        ] {
            #expect(BearerToken(text) == nil)
        }
    }
}
