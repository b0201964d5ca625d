import FoundationEssentials
import JSON
import Operations
import Sealing
import Store
import Testing

@testable import Notifier

struct WebhookMessageTests {
    private func parse(_ text: String, _ signing: WebhookSigning = .hmacSHA256) -> SigningKey? {
        SigningKey(Sealing.Secret(Array(text.utf8)), signing)
    }

    /// The example of the standard's own text.
    @Test func `the signature is the standard's`() throws {
        let secret = try #require(parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signed = #"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#
        #expect(
            try secret.signature(of: Array(signed.utf8)) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    static let wrong = [
        "", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La", "whsec_!fKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_\(Data(count: 65).base64EncodedString())", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
    ]

    @Test(arguments: wrong)
    func `what is no secret of 24 to 64 bytes is refused`(text: String) {
        #expect(parse(text) == nil)
    }

    @Test(arguments: [24, 64])
    func `the lengths at the limits are taken`(length: Int) {
        #expect(parse("whsec_\(Data(count: length).base64EncodedString())") != nil)
    }

    @Test func `a secret does not show itself`() throws {
        let secret = try #require(parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        for text in ["\(secret)", String(reflecting: secret), String(describing: [secret])] {
            #expect(!text.contains("MfKQ") && !text.contains("Symmetric"), "\(text)")
        }
    }

    @Test func `the id and the body are the same on every try; the time is the try's`() throws {
        let event = NotificationTextTests.run(.succeeded).event
        let (first, second) = (try #require(WebhookMessage(event)), try #require(WebhookMessage(event)))
        let secret = try #require(parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        #expect(first.id == second.id && first.body == second.body)
        let one = try first.headers(at: Date(timeIntervalSince1970: 1_000.9), signedWith: [secret])
        let other = try second.headers(at: Date(timeIntervalSince1970: 2_000), signedWith: [secret])
        #expect(one.map(\.0) == ["content-type", "webhook-id", "webhook-timestamp", "webhook-signature"])
        #expect(one[2].1 == "1000" && other[2].1 == "2000")
        #expect(one[1].1 == "\(event.runID)" && one[3].1 != other[3].1)
    }

    @Test func `a try is a part of the run's trace`() throws {
        var event = NotificationTextTests.run(.succeeded).event
        event.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let secret = try #require(parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let tries = try (0..<2).map { _ in
            let message = try #require(WebhookMessage(event))
            return try message.headers(at: Date(), signedWith: [secret]).first { $0.0 == "traceparent" }?.1
        }
        #expect(tries.allSatisfy { $0?.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") == true })
        #expect(tries[0] != tries[1] && !tries.contains { $0?.contains("00f067aa0ba902b7") ?? true })
        event.traceparent = nil
        let without = try #require(WebhookMessage(event)).headers(at: Date(), signedWith: [secret])
        #expect(!without.contains { $0.0 == "traceparent" })
    }

    @Test func `what is no private key of 32 bytes is refused`() {
        let key = Data(repeating: 9, count: 32).base64EncodedString()
        #expect(parse("whsk_\(key)", .ed25519) != nil)
        for text in ["whsec_\(key)", "whpk_\(key)", "whsk_\(Data(count: 31).base64EncodedString())", "whsk_"]
        {
            #expect(parse(text, .ed25519) == nil, "\(text)")
        }
        #expect(parse("whsk_\(key)") == nil)
    }

    @Test func `while keys are changed, each of them signs`() throws {
        let message = try #require(WebhookMessage(NotificationTextTests.run(.succeeded).event))
        let keys = [
            try #require(parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
            try #require(parse("whsk_\(Data(repeating: 9, count: 32).base64EncodedString())", .ed25519)),
        ]
        let headers = try message.headers(at: Date(), signedWith: keys)
        let signatures = headers[3].1.split(separator: " ")
        #expect(signatures.count == 2)
        #expect(signatures[0].hasPrefix("v1,") && signatures[1].hasPrefix("v1a,"))
    }

    @Test func `a body of 20,000 bytes is not sent`() {
        #expect(
            WebhookMessage(
                NotificationTextTests.run(.failed, of: String(repeating: "x", count: 20_000)).event) == nil)
    }
}
