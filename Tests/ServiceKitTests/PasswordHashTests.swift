import Testing

@testable import ServiceKit

struct PasswordHashTests {
    @Test func onlyTheRightPasswordMatches() throws {
        let hash = try PasswordHash(of: "correct horse battery")
        #expect(hash.text.hasPrefix("$scrypt$ln=16,r=8,p=2$"))
        #expect(try hash.matches("correct horse battery"))
        #expect(try !hash.matches("correct horse batterY"))
        #expect(try !hash.matches(""))
        #expect(try PasswordHash(stored: hash.text)?.matches("correct horse battery") == true)
        // The same password is kept otherwise each time.
        #expect(try PasswordHash(of: "correct horse battery").text != hash.text)
    }

    /// What is typed composed or decomposed is the same.
    @Test func theSameCharactersAreTheSame() throws {
        #expect(
            try PasswordHash(of: "Gr\u{FC}\u{DF}e aus Z\u{FC}rich").matches(
                "Gru\u{308}\u{DF}e aus Zu\u{308}rich"))
    }

    /// From RFC 7914, section 12, in our form: another program's output is understood.
    @Test func aKnownOneMatches() throws {
        let stored = "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGVzYWx0cw$"
        #expect(PasswordHash(stored: stored) == nil)
        for text in [
            "", "plain", "$scrypt$", "$argon2id$v=19$a$b$c",
            "$scrypt$ln=30,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
            "$scrypt$ln=16,r=8,p=2$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            #expect(PasswordHash(stored: text) == nil, "\(text)")
        }
    }
}
