import Operations
import Testing

/// What people type in to be told somewhere.
struct AddressTests {
    @Test(arguments: [
        "omar@example.com", "a@b", "o.reyes+atlas@mail.example.co.uk", "x_y-z!#$%&'*/=?^`{|}~@1.example",
        String(repeating: "x", count: 64) + "@example.com",
    ])
    func `an e-mail address`(text: String) {
        #expect(EmailAddress(text)?.text == text)
    }

    @Test func `the domain of an e-mail address`() {
        #expect(EmailAddress("a@mail.example.com")?.domain == "mail.example.com")
    }

    @Test(arguments: [
        "", "omar", "@", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a@b\r\nBcc: x@y", "a@b\0", "<a@b>",
        "\"a b\"@c",
        "jörg@example.com", "a@exämple.com", "a@b,c@d", ".a@b", "a.@b", "a..b@c", "a@.b", "a@b.", "a@b..c",
        "a@-b",
        "a@b-", "a@[127.0.0.1]", String(repeating: "x", count: 65) + "@example.com",
        "a@" + String(repeating: "x", count: 64), "a@" + String(repeating: "x.", count: 126) + "x",
    ])
    func `no e-mail address`(text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test(arguments: [
        ("https://example.com", "https://example.com"),
        ("HTTPS://Example.COM:8443/a/b?c=d", "https://example.com:8443"),
        ("https://192.0.2.1/x", "https://192.0.2.1"),
        ("https://[2001:db8::1]:443/x", "https://[2001:db8::1]:443"),
        ("https://example.com?x=1", "https://example.com"), ("https://a-b.example/@x", "https://a-b.example"),
    ])
    func `an address of a webhook shows its origin only`(text: String, origin: String) {
        let address = WebhookAddress(text, allowsHTTP: false)
        #expect(address?.text == text && address?.origin == origin)
    }

    @Test(arguments: [
        "", "example.com", "http://example.com", "ftp://example.com", "https://", "https:///x", "https://?x",
        "https://user@example.com", "https://user:word@example.com/", "https://example.com\\@evil.example",
        "https://example.com/#x", "https://exa mple.com", "https://example.com/\r\nX: y",
        "https://exämple.com",
        "https://example.com:", "https://example.com:0", "https://example.com:65536",
        "https://example.com:1x",
        "https://example.com:443:1", "https://[::1", "https://[]", "https://[::1]x", "https://[g::]",
        "https://a_b.example", "https://" + String(repeating: "a", count: 254),
        "https://example.com/" + String(repeating: "a", count: 2_000),
    ])
    func `no address of a webhook`(text: String) {
        #expect(WebhookAddress(text, allowsHTTP: false) == nil)
    }

    @Test func `plain HTTP is for development`() {
        #expect(WebhookAddress("http://127.0.0.1:80/x", allowsHTTP: true)?.origin == "http://127.0.0.1:80")
        #expect(WebhookAddress("http://127.0.0.1:80/x", allowsHTTP: false) == nil)
    }
}
