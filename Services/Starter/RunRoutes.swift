import HTTPTypes
import JSON
import Operations
import Store

/// Looking at runs, and stopping them.
struct RunRoutes: Sendable {
    let runs: RunReading
    let ledger: Ledger
    let access: AccessReading
    let cancellation: RunCancellation
    let publish: @Sendable ([PendingMessage]) -> Void

    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let tenant: TenantID? = parameters.id("tenant_id")
        let state: RunState? = parameters.choice("state")
        let outcome: RunOutcome? = parameters.choice("outcome")
        let operation: OperationType? = parameters.choice("operation")
        let limit = parameters.pageLimit()
        let before = parameters.cursor(of: .runs)
        try parameters.finish()
        let tenants = try await self.tenants(tenant, call.caller)
        var filter = RunFilter(workspace: call.caller.workspaceID, tenants: tenants, limit: limit)
        filter.state = state
        filter.outcome = outcome
        filter.operation = operation?.rawValue
        filter.before = before.map(RunID.init)
        let page = try await runs.list(filter)
        return .page("runs", page, json: \.json, cursor: { Cursor(.runs, after: $0.id.uuid) }, of: call)
    }

    private func tenants(_ tenant: TenantID?, _ caller: Principal) async throws -> [TenantID] {
        guard let tenant else {
            return try await Access.tenants(of: caller, holding: .operationsView, access)
        }
        try await Access(of: caller, at: .tenant(tenant), access).require(.operationsView)
        return [tenant]
    }

    func show(_ id: RunID, _ call: Call) async throws -> Answer {
        try call.parameters.finish()
        try await Access(of: call.caller, at: .run(id), access).require(.operationsView)
        guard let run = try await runs.run(id) else { throw Problem.notFound }
        return .json(.ok, run.json)
    }

    func explain(_ id: RunID, _ call: Call) async throws -> Answer {
        try call.parameters.finish()
        try await Access(of: call.caller, at: .run(id), access).require(.operationsView)
        guard let explanation = try await runs.explanation(of: id) else { throw Problem.notFound }
        return .json(.ok, explanation.json)
    }

    /// What the run did to each thing, a page of it.
    func items(_ id: RunID, _ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let limit = parameters.pageLimit()
        let after = parameters.itemCursor()
        try parameters.finish()
        try await Access(of: call.caller, at: .run(id), access).require(.operationsView)
        let page = try await ledger.page(of: id, after: after, limit: limit)
        return .page("items", page, json: \.json, cursor: { Cursor(afterItem: $0.key) }, of: call)
    }

    /// Whoever may start an operation may stop it.
    func cancel(_ id: RunID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        let place = try await Access(of: call.caller, at: .run(id), access)
        let definition = place.operation.flatMap(OperationCatalogue.definition(named:))
        // What this version does not know, those may stop who may do everything.
        try place.require(definition?.capability ?? .accessManage)
        switch try await cancellation.cancel(id, by: call.caller.userID) {
        case .ended(let message):
            publish(message.map { [$0] } ?? [])
            return cancelled(id, .completed)
        case .requested: return cancelled(id, .running)
        case .tooLate:
            throw Problem.conflict(
                "This run has ended already, and stays as it ended.", reasonCode: "run_completed", runID: id)
        }
    }

    private func cancelled(_ id: RunID, _ state: RunState) -> Answer {
        .json(
            .accepted,
            [
                "run_id": .string("\(id)"), "state": .string(state.rawValue),
                "href": .string(RunAddress.path(of: id)),
            ])
    }
}
