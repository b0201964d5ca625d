import Waiting
import Testing

@testable import AMQP

@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    @Test(arguments: ["TLSv1_2", "TLSv1_3"])
    func aTrustedPeerIsUsed(version: String) async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let proxy = try TLSProxy(certificates, certificate: "good", version: version)
        let address = try TestBroker.address(
            throughPort: proxy.port, "?cacertfile=\(certificates.path("ca.pem"))", scheme: "amqps")
        let queue = TestBroker.name("tls")
        try await withPublisher(.queue(queue), address: address) { publisher in
            let body = String(repeating: "x", count: 200_000)
            let batch = (0..<20).map { OutgoingMessage.to(queue, body, id: "\($0)") }
            let outcomes = await publisher.publish(batch)
            #expect(outcomes.count { $0.isConfirmed } == 20)
            try await withConsumer(queue, prefetch: 20, address: address) { consumer in
                let deliveries = try await consumer.take(20)
                #expect(deliveries.map(\.properties.id) == batch.map(\.id))
                #expect(deliveries.count { $0.body.count == 200_000 } == 20)
                consumer.ack(deliveries.map(\.tag))
            }
        }
    }

    /// The authority that is trusted, the peer's certificate, its TLS version, and how it must end.
    @Test(arguments: [
        ("other-ca", "good", "TLSv1_3", AMQPError.Code.certificateRefused),
        ("ca", "wrong-name", "TLSv1_3", .certificateRefused),
        ("missing", "good", "TLSv1_3", .invalidAddress),
        ("ca", "good", "TLSv1_1", .handshakeFailed),
    ])
    func aPeerThatCanNotBeTrustedIsRefused(
        authority: String, certificate: String, version: String, code: AMQPError.Code
    ) async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let proxy = try TLSProxy(certificates, certificate: certificate, version: version)
        let address = try TestBroker.address(
            throughPort: proxy.port, "?cacertfile=\(certificates.path("\(authority).pem"))", scheme: "amqps")
        try await withPublisher(Topology(), address: address) { publisher in
            try await eventually("refused") {
                guard case .disconnected(let error) = publisher.status else { return false }
                #expect(error.code == code)
                return true
            }
        }
    }

    @Test func withoutAFileTheSystemsAuthoritiesAreTrustedWhichDoNotKnowThePeer() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let proxy = try TLSProxy(certificates, certificate: "good")
        let address = try TestBroker.address(throughPort: proxy.port, scheme: "amqps")
        try await withConsumer("x", address: address) { consumer in
            try await eventually("refused") {
                guard case .disconnected(let error) = consumer.status else { return false }
                #expect(error.code == .certificateRefused || error.code == .invalidAddress)
                return true
            }
        }
    }
}
