import Graph
import JSON
import Operations
import Store

/// `policy.bulk_assign`: one assignment more for each policy. The provider knows only whole sets, so each policy's set
/// is read right before it is written back with the new one in it: exclusions and filters stay.
struct PolicyBulkAssign: BulkChange {
    private let surface: PolicySurface
    private let writing: PolicyWriting
    private let assignment: BulkAssignment

    let whenMissing = BulkPlan.Result(state: .failed, word: ProviderFailure.notFound.rawValue)

    /// Nil for parameters without a kind that is assigned.
    init?(_ parameters: BulkParameters) {
        guard let kind = parameters.selection.kind, let assignment = parameters.assignment,
            let writing = PolicyWriting.of(kind)
        else { return nil }
        surface = .of(kind)
        self.writing = writing
        self.assignment = assignment
    }

    /// The provider does not refuse the id of a group that is not there.
    func check(_ session: GraphSession) async throws {
        guard let group = assignment.groupID else { return }
        _ = try await session.get("/v1.0/groups/\(group)", [("$select", "id")])
    }

    func plan(_ id: String, _ session: GraphSession) async throws -> BulkPlan {
        switch AssignmentMerge(assignment, into: try await assignments(of: id, session)) {
        case .present: return .leave(.init(state: .skipped, word: "unchanged"))
        case .conflict: return .leave(.init(state: .failed, word: ProviderFailure.conflict.rawValue))
        case .whole(let set):
            return .write(.post, surface.path.appending("/\(id)/assign"), writing.assignBody(set))
        }
    }

    func wasDone(_ id: String, _ session: GraphSession) async throws -> Bool? {
        if case .present = AssignmentMerge(assignment, into: try await assignments(of: id, session)) {
            return true
        }
        return false
    }

    private func assignments(of id: String, _ session: GraphSession) async throws -> [JSON] {
        let path = surface.path.appending("/\(id)/assignments")
        var walk = PageWalk(pageLimit: 100)
        var page = try await session.page(path)
        var items = page.items
        while let next = try walk.follow(page) {
            page = try await session.page(at: next, of: path)
            items += page.items
        }
        return items
    }
}
