import HTTPTypes
import JSON
import Operations
import Store

/// Making schedules, looking at them, switching and removing them.
///
/// Nobody makes one for somebody else. A schedule under the system's authority outlives every grant, so it takes
/// `access.manage` to make one; ``ScheduleAccess`` says who may change what is there.
struct ScheduleRoutes: Sendable {
    let schedules: Schedules
    let access: AccessReading
    /// Those whose consumers are deployed.
    let families: Set<OperationFamily>

    /// As whom a schedule starts runs.
    private enum Authority: String, CaseIterable {
        case me, system
    }

    private struct Wish {
        let operation: String
        let connection: ConnectionID
        let parameters: JSON?
        let cron: String
        let timeZone: String
        let authority: Authority
    }

    func create(_ call: Call) async throws -> Answer {
        let wish = try await call.read { members in
            Wish(
                operation: members.text("operation", limit: StartRoute.operationLimit),
                connection: members.id("provider_connection_id"),
                parameters: members.optionalValue("parameters"),
                cron: members.text("cron", limit: CronExpression.lengthLimit),
                timeZone: members.text("time_zone", limit: ScheduleZone.lengthLimit),
                authority: members.choice("run_as"))
        }
        let definition = try definition(wish)
        let parameters = try Self.parameters(wish, definition)
        let cadence = try Self.cadence(wish)
        let place = try await Access(of: call.caller, at: .connection(wish.connection), access)
        try place.require(wish.authority == .me ? definition.capability : .accessManage)
        let new = NewSchedule(
            connectionID: wish.connection, operation: definition.type, parameters: parameters,
            cadence: cadence,
            person: wish.authority == .me ? call.caller.userID : nil)
        switch try await schedules.create(new, by: call.caller.userID) {
        case .created(let id): return try await answer(.created, id)
        case .exists(let id): return try await answer(.ok, id)
        case .tooMany:
            throw Problem.conflict(
                "This tenant has \(Schedules.tenantLimit) schedules, which is the most. Remove one first.",
                reasonCode: "too_many_schedules")
        }
    }

    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let tenant: TenantID? = parameters.id("tenant_id")
        let limit = parameters.pageLimit()
        let after = parameters.cursor(of: .schedules)
        try parameters.finish()
        var places: [TenantID] = []
        if let tenant {
            try await Access(of: call.caller, at: .tenant(tenant), access).require(.operationsView)
            places = [tenant]
        } else {
            places = try await Access.tenants(of: call.caller, holding: .operationsView, access)
        }
        let page = try await schedules.list(of: places, after: after.map(ScheduleID.init), limit: limit)
        return .page(
            "schedules", page, json: \.json, cursor: { Cursor(.schedules, after: $0.id.uuid) }, of: call)
    }

    func show(_ id: ScheduleID, _ call: Call) async throws -> Answer {
        try call.parameters.finish()
        try await Access(of: call.caller, at: .schedule(id), access).require(.operationsView)
        return try await answer(.ok, id)
    }

    func pause(_ id: ScheduleID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        try await find(id, call).requireLess()
        try await schedules.setEnabled(id, false, by: call.caller.userID)
        return try await answer(.ok, id)
    }

    func resume(_ id: ScheduleID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        try await find(id, call).requireMore()
        try await schedules.setEnabled(id, true, by: call.caller.userID)
        return try await answer(.ok, id)
    }

    func remove(_ id: ScheduleID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        try await find(id, call).requireLess()
        try await schedules.remove(id, by: call.caller.userID)
        return .noContent
    }

    // MARK: what is asked

    /// What depends on the request alone: it tells nothing about the connection.
    private func definition(_ wish: Wish) throws(Problem) -> OperationDefinition {
        guard let definition = OperationCatalogue.definition(named: wish.operation) else {
            throw Problem(.operationUnknown)
        }
        guard families.contains(definition.family) else { throw Problem(.operationUnavailable) }
        guard wish.authority == .me || definition.systemMayRun else {
            let allowed = OperationCatalogue.all.filter(\.systemMayRun).map(\.type.rawValue)
            throw .faulty([
                .init(
                    pointer: "/run_as",
                    detail: "must be me: under the system's authority only these may run: "
                        + allowed.joined(separator: ", "))
            ])
        }
        return definition
    }

    private static func parameters(
        _ wish: Wish, _ definition: OperationDefinition
    ) throws(Problem) -> JSON? {
        do { return try RunParameters.accept(wish.parameters, for: definition.type) } catch {
            throw Problem(.parametersInvalid(error.faults))
        }
    }

    private static func cadence(_ wish: Wish) throws(Problem) -> Cadence {
        var faults: [Problem.Fault] = []
        var expression: CronExpression?
        do { expression = try CronExpression(wish.cron) } catch {
            faults.append(.init(pointer: "/cron", detail: error.description))
        }
        let zone = ScheduleZone(wish.timeZone)
        if zone == nil {
            let detail = "must be the IANA name of a time zone, for instance Europe/Zurich or UTC"
            faults.append(.init(pointer: "/time_zone", detail: detail))
        }
        guard let expression, let zone else { throw .faulty(faults) }
        return Cadence(expression, in: zone)
    }

    private func find(_ id: ScheduleID, _ call: Call) async throws -> ScheduleAccess {
        try await ScheduleAccess(of: call.caller, to: id, schedules, access)
    }

    private func answer(_ status: HTTPResponse.Status, _ id: ScheduleID) async throws -> Answer {
        guard let schedule = try await schedules.schedule(id) else { throw Problem.notFound }
        var answer = Answer.json(status, schedule.json)
        if status == .created { answer.headers[.location] = "/v1/schedules/\(id)" }
        return answer
    }
}
