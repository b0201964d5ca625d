import Waiting
import Testing

@testable import Postgres

/// Addresses that name several servers.
struct ServerListTests {
    @Test func theListIsTurned() throws {
        let list = try ServerList(host: "one,two,three", hostAddress: nil, port: "5432,,5434")
        #expect(list.count == 3)
        #expect(text(list, 0) == "host=one,two,three port=5432,,5434")
        #expect(text(list, 1) == "host=two,three,one port=,5434,5432")
        #expect(text(list, 5) == "host=three,one,two port=5434,5432,")
    }

    @Test func whatIsMeantForAllServersStays() throws {
        #expect(text(try ServerList(host: "one,two", hostAddress: nil, port: "5433"), 1) == "host=two,one")
        let numeric = try ServerList(host: nil, hostAddress: "::1,::2", port: nil)
        #expect(text(numeric, 1) == "hostaddr=::2,::1")
        #expect(text(try ServerList(host: "one", hostAddress: nil, port: "1"), 1) == "")
        #expect(text(try ServerList(host: nil, hostAddress: nil, port: nil), 1) == "")
    }

    @Test(arguments: [
        ("postgres://u:s3cr3t@one:1,two:2/n?port=1,2,3", "names 3 ports for 2 hosts"),
        ("postgres://u:s3cr3t@one/n?port=1,2", "names 2 ports for 1 hosts"),
        ("postgres://u:s3cr3t@one,two/n?hostaddr=::1", "names 2 hosts and 1 hostaddr"),
        ("postgres://u:s3cr3t@one,/n", "has an empty name among its hosts"),
        ("postgres://u:s3cr3t@one:0/n", "has a port that is no port"),
        ("postgres://u:s3cr3t@one:65536,two/n", "has a port that is no port"),
        ("postgres://u:s3cr3t@one,two:x/n", "has a port that is no port"),
        (
            "postgres://u:s3cr3t@/n?host=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
            "names more than 16 servers"
        ),
    ])
    func refused(url: String, problem: String) {
        #expect(PostgresConfiguration.problem(of: url) == "the database address \(problem)")
    }

    @Test(arguments: [
        "postgres://u:s3cr3t@one,two:5433/n", "postgres://u@one:1,two:2/n", "postgres:///n",
        "postgres://one,two/n?target_session_attrs=any", "host=/run/one,two port=1",
        "postgres://u@one,/n?hostaddr=::1,::2",
    ])
    func taken(url: String) {
        #expect(PostgresConfiguration.problem(of: url) == nil)
    }

    private func text(_ list: ServerList, _ first: Int) -> String {
        list.turned(to: first).map { "\($0.keyword)=\($0.value)" }.joined(separator: " ")
    }
}

extension PostgresTests {
    /// A primary that goes, and another server that is found.
    @Suite struct SeveralServersTests {
        private static let answer: Statement = "SELECT 42 AS n"

        @Test func serverThatSaysNothingIsPassedOverAndNotAskedAgain() async throws {
            try await withTwoServers { silent, good, pool in
                silent.mode = .silent
                // The call itself waits for the second server, and does not fail.
                #expect(try await pool.query(Self.answer)[0].int("n") == 42)
                #expect(silent.accepted == 1 && good.accepted == 1)
                good.cut()
                try await eventually("a new session") { (try? await pool.query(Self.answer)) != nil }
                #expect(silent.accepted == 1 && good.accepted == 2)
            }
        }

        @Test func theOtherServerIsFoundWhenOneGoes() async throws {
            try await withTwoServers { first, second, pool in
                _ = try await pool.query(Self.answer)
                #expect(first.accepted == 1 && second.accepted == 0)
                first.close()
                try await eventually("a session on the other") { (try? await pool.query(Self.answer)) != nil }
                #expect(second.accepted == 1)
            }
        }

        @Test func whenNoServerAnswersTheCallFails() async throws {
            try await withTwoServers { first, second, pool in
                first.mode = .silent
                second.mode = .silent
                let error = await postgresError { try await pool.query(Self.answer) }
                #expect(error?.kind == .connection && error?.isRetryable == true)
                #expect(first.accepted == 1 && second.accepted == 1)
            }
        }

        /// A database by way of two proxies, as if each were a server.
        private func withTwoServers(_ body: (Proxy, Proxy, PostgresPool) async throws -> Void) async throws {
            try await withDatabase({
                $0.poolSize = 1
                $0.connectTimeout = .milliseconds(500)
            }) { database in
                let proxies = [Proxy(to: database.port), Proxy(to: database.port)]
                defer { for proxy in proxies { proxy.close() } }
                let ports = proxies.map { String($0.port) }.joined(separator: ",")
                let configuration = database.configuration(adding: "host=127.0.0.1,127.0.0.1&port=\(ports)")
                try await withPool(on: configuration) { try await body(proxies[0], proxies[1], $0) }
            }
        }
    }
}
