import Testing

@testable import AMQP

struct BrokerAddressTests {
    @Test func partsAndDefaults() throws {
        let plain = try BrokerAddress(url: "amqp://broker")
        #expect(plain.host == "broker" && plain.port == 5672 && plain.virtualHost == "/" && !plain.usesTLS)
        #expect(plain.user == "guest" && plain.password == "guest" && plain.heartbeatSeconds == 10)

        let full = try BrokerAddress(
            url: "amqps://us%40er:p%3Aa%2Fss@broker.example:1234/team%2Fa"
                + "?heartbeat=30&cacertfile=/etc/ca%20.pem")
        #expect(full.host == "broker.example" && full.port == 1234 && full.virtualHost == "team/a")
        #expect(full.user == "us@er" && full.password == "p:a/ss" && full.usesTLS)
        #expect(full.heartbeatSeconds == 30 && full.authoritiesFile == "/etc/ca .pem")

        let numeric = try BrokerAddress(url: "amqp://u:p@[::1]:5673/")
        #expect(numeric.host == "::1" && numeric.port == 5673 && numeric.virtualHost == "/")
        #expect(try BrokerAddress(url: "amqps://broker").port == 5671)
    }

    @Test(arguments: [
        "", "broker", "http://broker", "amqp://", "amqp://user@broker", "amqp://u:p@:5672",
        "amqp://broker:0", "amqp://broker:65536", "amqp://broker:x", "amqp://broker:", "amqp://[::1",
        "amqp://u:%zz@broker", "amqp://u:%c3@broker", "amqp://u:p%00q@broker", "amqp://broker/%00",
        "amqp://broker?heartbeat=0", "amqp://broker?heartbeat=1", "amqp://broker?heartbeat=601",
        "amqp://broker?heartbeat", "amqp://broker?cacertfile=/x", "amqps://broker?cacertfile=",
        "amqps://broker?verify=none", "amqp://broker%",
    ])
    func refused(url: String) {
        do {
            let address = try BrokerAddress(url: url)
            Issue.record("accepted as \(address)")
        } catch {
            #expect(error.code == .invalidAddress)
            #expect(!error.isRetryable)
        }
    }

    @Test func thePasswordIsNeverShown() throws {
        let address = try BrokerAddress(url: "amqp://user:s3cr3t@broker/x")
        var dumped = ""
        dump(["held": address], to: &dumped)
        for text in ["\(address)", String(reflecting: address), dumped, "\(Optional(address) as Any)"] {
            #expect(!text.contains("s3cr3t"))
        }
        #expect("\(address)" == "amqp://user@broker:5672/x")
        #expect(throws: AMQPError.self) { try BrokerAddress(url: "amqp://user:s3cr3t%@broker") }
        do {
            _ = try BrokerAddress(url: "amqp://user:s3cr3t@broker?x=1")
        } catch {
            #expect(!"\(error)".contains("s3cr3t"))
        }
    }
}
