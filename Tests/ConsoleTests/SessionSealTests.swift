import Testing

@testable import Console

/// What only a page of the session knows.
struct SessionSealTests {
    @Test func aSealIsOfOneSession() {
        let (one, other) = (SessionSeal("a"), SessionSeal("b"))
        #expect(one.accepts(formToken: one.formToken) && !one.accepts(formToken: other.formToken))
        #expect(one.opened(one.signed("{\"ä\":1}")) == "{\"ä\":1}")
        #expect(other.opened(one.signed("x")) == nil)
        let signed = one.signed("text")
        #expect(
            one.opened(String(signed.dropLast())) == nil && one.opened("") == nil && one.opened("..") == nil)
        #expect(one.key("a") == SessionSeal("a").key("a") && one.key("a") != one.key("b"))
        #expect(one.key("form") != one.formToken)
    }

    /// Of a thousand other sessions none has a token or a mark that this one takes; nor is one taken of which one
    /// character is another.
    @Test func nothingElseIsTaken() {
        let seal = SessionSeal("a")
        let (token, signed) = (seal.formToken, seal.signed("text"))
        for number in 0..<1_000 {
            let other = SessionSeal("session \(number)")
            #expect(!seal.accepts(formToken: other.formToken))
            #expect(seal.opened(other.signed("text")) == nil)
        }
        // The last character has bits that mean nothing.
        for position in token.indices.dropLast() {
            for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            where character != token[position] {
                #expect(!seal.accepts(formToken: token.replacing(position, with: character)))
            }
        }
        for position in signed.indices.dropLast() where signed[position] != "A" {
            #expect(seal.opened(signed.replacing(position, with: "A")) == nil)
        }
    }
}

extension String {
    fileprivate func replacing(_ position: Index, with character: Character) -> String {
        var text = self
        text.replaceSubrange(position...position, with: [character])
        return text
    }
}
