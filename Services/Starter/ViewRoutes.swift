import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Store

/// The caller's own named filters of the list of runs.
struct ViewRoutes: Sendable {
    let views: SavedViews
    /// Makes ids in the order of time.
    let makeID: @Sendable () -> UUID

    func list(_ call: Call) async throws -> Answer {
        try call.parameters.finish()
        let views = try await views.views(of: call.caller.userID)
        return .json(.ok, ["views": .array(views.map(\.json))])
    }

    /// Keeps a filter, in place of what the caller called so before.
    func keep(_ call: Call) async throws -> Answer {
        let (name, query) = try await call.read { members in
            (
                members.text("name", limit: SavedViews.nameLimit),
                members.text("query", limit: SavedViews.queryLimit)
            )
        }
        try Access.requireOwn(.operationsView, of: call.caller)
        guard
            let view = try await views.keep(name, query, id: SavedViewID(makeID()), of: call.caller.userID)
        else { throw Problem.tooManyViews }
        return .json(.ok, view.json)
    }

    func remove(_ id: SavedViewID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        try Access.requireOwn(.operationsView, of: call.caller)
        try await views.remove(id, of: call.caller.userID)
        return .noContent
    }
}

extension SavedView {
    fileprivate var json: JSON {
        ["view_id": .string("\(id)"), "name": .string(name), "query": .string(query)]
    }
}

extension Problem {
    fileprivate static let tooManyViews = Problem.conflict(
        "You have \(SavedViews.userLimit) views already, which is the most. Remove one first.",
        reasonCode: "too_many_views")
}
