import Waiting
import Testing

@testable import Postgres

extension PostgresTests {
    @Suite struct ListenerTests {
        private static let notify: Statement = "SELECT pg_notify($1, $2)"

        @Test func deliversAndLooksAgainAfterAReconnect() async throws {
            try await withProxy { database, proxy, throughProxy in
                let listener = PostgresListener(throughProxy, logger: quiet)
                let jobs = Reader(await listener.notifications("jobs"))
                let odd = Reader(await listener.notifications("Odd \"name\""))
                try await withPool(on: database.configuration) { pool in
                    try await jobs.expect("")
                    try await odd.expect("")
                    _ = try await pool.query(Self.notify, [.text("jobs"), .text("one")])
                    _ = try await pool.query(Self.notify, [.text("Odd \"name\""), .text("two")])
                    _ = try await pool.query(Self.notify, [.text("other"), .text("nobody hears it")])
                    try await jobs.expect("one")
                    try await odd.expect("two")

                    proxy.cut()
                    try await jobs.expect("")
                    try await odd.expect("")
                    _ = try await pool.query(Self.notify, [.text("jobs"), .text("three")])
                    try await jobs.expect("three")

                    let late = Reader(await listener.notifications("jobs"))
                    try await late.expect("")
                    _ = try await pool.query(Self.notify, [.text("jobs"), .text("four")])
                    try await jobs.expect("four")
                    try await late.expect("four")
                }
                await listener.close()
                try await jobs.expectEnd()
                try await odd.expectEnd()
                #expect(proxy.accepted == 2)
            }
        }

        @Test func waitsForAServerThatIsNotThere() async throws {
            try await withProxy({ $0.connectTimeout = .milliseconds(100) }) { _, proxy, throughProxy in
                proxy.mode = .silent
                let listener = PostgresListener(throughProxy, logger: quiet)
                let reader = Reader(await listener.notifications("jobs"))
                try await eventually("an attempt") { proxy.accepted > 0 }
                proxy.mode = .forward
                try await reader.expect("")
                await listener.close()
                try await reader.expectEnd()
            }
        }

        @Test func closedListenerGivesAnEndedStream() async throws {
            try await withDatabase { database in
                let listener = PostgresListener(database.configuration, logger: quiet)
                await listener.close()
                let reader = Reader(await listener.notifications("jobs"))
                try await reader.expectEnd()
            }
        }
    }
}

/// Reads a stream with a deadline of 10 s for each element.
private final class Reader: Sendable {
    private let stream: AsyncStream<String>

    init(_ stream: AsyncStream<String>) { self.stream = stream }

    func expect(_ expected: String, at location: SourceLocation = #_sourceLocation) async throws {
        let next = try await next()
        #expect(next == expected, sourceLocation: location)
    }

    func expectEnd(at location: SourceLocation = #_sourceLocation) async throws {
        let next = try await next()
        #expect(next == nil, sourceLocation: location)
    }

    private func next() async throws -> String? {
        try await inTime("a notification") { [stream] in
            var iterator = stream.makeAsyncIterator()
            return await iterator.next()
        }
    }
}
