package import Operations
package import Postgres

/// What would be in the way of starts if they were asked for now. Nothing is started.
package struct StartOutlook: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// Why each of the requests would be refused, by the gate's own decision; nil for one that would not be, and for one
    /// whose connection does not exist. What is under way on a connection does not count.
    package func obstacles(of requests: [StartRequest]) async throws -> [DenialReason?] {
        guard !requests.isEmpty else { return [] }
        let rows = try await pool.query(StartService.facts, StartService.asking(requests))
        return try zip(requests, rows).map { request, row in
            guard let facts = try StartService.startFacts(row) else { return nil }
            return StartGate.obstacle(request, facts: facts, now: try row.date("read_at"))
        }
    }
}
