import Testing

@testable import ServiceKit

@Suite struct SecretTests {
    @Test func isNotSeen() {
        let secret = Secret("hush-hush")
        var dumped = ""
        dump((secret, Optional(secret), [secret]), to: &dumped)
        for text in [
            "\(secret)", String(reflecting: secret), "\([secret])", "\(Optional(secret) as Any)", dumped,
        ] {
            #expect(!text.contains("hush"))
        }
        #expect(secret.reveal() == "hush-hush")
    }

    @Test(arguments: [
        ("secret", "secret", true), ("", "", true), ("ключ", "ключ", true), ("secret", "Secret", false),
        ("secret", "secre", false), ("secret", "secrets", false), ("secret", "", false),
        ("", "secret", false),
        ("ab", "abab", false), ("abab", "ab", false), ("secret", "secreu", false), ("a\0", "a", false),
    ])
    func matchesItselfOnly(known: String, other: String, same: Bool) {
        #expect(Secret(known).matches(other) == same)
    }
}
