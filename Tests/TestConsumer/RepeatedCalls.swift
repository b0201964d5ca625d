import Graph
import Operations

/// A handler that makes many small calls: what the revocation test watches at the sandbox.
struct RepeatedCalls: Sendable {
    /// How many calls one run makes.
    static let callCount = 200

    let gateway: GraphGateway

    func execute(_ permit: ExecutionPermit) async throws -> ExecutionResult {
        var counts = SummaryCounts()
        counts[.total] = Self.callCount
        counts[.untouched] = Self.callCount
        do {
            let session = try await gateway.session(under: permit)
            for _ in 0..<Self.callCount {
                _ = try await session.get("/v1.0/organization")
                counts[.applied] += 1
                counts[.untouched] -= 1
            }
            return .completed(counts)
        } catch {
            guard let result = await ExecutionResult(endingWith: error, counts: { counts }) else {
                throw error
            }
            return result
        }
    }
}
