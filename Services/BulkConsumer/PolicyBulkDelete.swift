import Graph
import Operations
import Store

/// `policy.bulk_delete`: each policy is deleted. One that somebody else deleted before is skipped.
struct PolicyBulkDelete: BulkChange {
    private let surface: PolicySurface

    let whenMissing = BulkPlan.Result(state: .skipped, word: "already_gone")

    /// Nil for parameters without a kind.
    init?(_ parameters: BulkParameters) {
        guard let kind = parameters.selection.kind else { return nil }
        surface = .of(kind)
    }

    func check(_ session: GraphSession) async throws {}

    func plan(_ id: String, _ session: GraphSession) async throws -> BulkPlan {
        .write(.delete, surface.path.appending("/\(id)"), nil)
    }

    func wasDone(_ id: String, _ session: GraphSession) async throws -> Bool? {
        do {
            _ = try await session.get(surface.path.appending("/\(id)"))
            return false
        } catch let failure as GraphFailure where failure.failure == .notFound {
            return true
        }
    }
}
