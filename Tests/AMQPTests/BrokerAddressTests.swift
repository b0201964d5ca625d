import Testing

@testable import AMQP

struct BrokerAddressTests {
    @Test func partsAndDefaults() throws {
        let plain = try BrokerAddress(url: "amqp://broker")
        #expect(
            plain.nodes == [.init(host: "broker", port: 5672)] && plain.virtualHost == "/" && !plain.usesTLS)
        #expect(plain.user == "guest" && plain.password == "guest" && plain.heartbeatSeconds == 10)

        let full = try BrokerAddress(
            url: "amqps://us%40er:p%3Aa%2Fss@broker.example:1234/team%2Fa"
                + "?heartbeat=30&cacertfile=/etc/ca%20.pem")
        #expect(full.nodes == [.init(host: "broker.example", port: 1234)] && full.virtualHost == "team/a")
        #expect(full.user == "us@er" && full.password == "p:a/ss" && full.usesTLS)
        #expect(full.heartbeatSeconds == 30 && full.authoritiesFile == "/etc/ca .pem")

        let numeric = try BrokerAddress(url: "amqp://u:p@[::1]:5673/")
        #expect(numeric.nodes == [.init(host: "::1", port: 5673)] && numeric.virtualHost == "/")
        #expect(try BrokerAddress(url: "amqps://broker").nodes[0].port == 5671)
        #expect(plain.declares)
        #expect(try !BrokerAddress(url: "amqp://broker?declare=false").declares)
        #expect(try BrokerAddress(url: "amqp://broker?declare=true").declares)
    }

    @Test func theNodesOfAClusterAreAList() throws {
        let cluster = try BrokerAddress(url: "amqps://u:p@one,two:5673,[::1]/team?heartbeat=5")
        #expect(cluster.nodes.map(\.host) == ["one", "two", "::1"])
        #expect(cluster.nodes.map(\.port) == [5671, 5673, 5671])
        #expect(cluster.virtualHost == "team" && cluster.heartbeatSeconds == 5 && cluster.user == "u")
        #expect("\(cluster)" == "amqps://u@one:5671,two:5673,::1:5671/team")
        let most = (1...16).map { "n\($0)" }.joined(separator: ",")
        #expect(try BrokerAddress(url: "amqp://\(most)/").nodes.count == 16)
        #expect(throws: AMQPError.self) { try BrokerAddress(url: "amqp://\(most),n17/") }
    }

    @Test func aProblemIsSaidWithoutTheURL() {
        #expect(BrokerAddress.problem(of: "amqp://u:p@one,two") == nil)
        #expect(BrokerAddress.problem(of: "amqp://u:s3cr3t@one,two:x") == "a port is no port")
        #expect(BrokerAddress.problem(of: "amqp://u:s3cr3t@one,,two") == "a host is missing")
    }

    @Test(arguments: [
        "", "broker", "http://broker", "amqp://", "amqp://user@broker", "amqp://u:p@:5672",
        "amqp://broker:0", "amqp://broker:65536", "amqp://broker:x", "amqp://broker:", "amqp://[::1",
        "amqp://u:%zz@broker", "amqp://u:%c3@broker", "amqp://u:p%00q@broker", "amqp://broker/%00",
        "amqp://broker?heartbeat=0", "amqp://broker?heartbeat=1", "amqp://broker?heartbeat=601",
        "amqp://broker?heartbeat", "amqp://broker?declare", "amqp://broker?declare=no",
        "amqp://broker?cacertfile=/x", "amqps://broker?cacertfile=",
        "amqps://broker?verify=none", "amqp://broker%", "amqp://one,", "amqp://,one", "amqp://one,two:0",
        "amqp://one,one", "amqp://one,one:5672", "amqp://one,[::1",
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
