import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JSON
import Operations
import Store

/// Provider connections: looking at them, making and changing them. Switching them on and off is ``AccessRoutes``'.
struct ConnectionRoutes: Sendable {
    let changes: ConnectionChanges
    let tenants: TenantReading
    let access: AccessReading

    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let tenant: TenantID? = parameters.id("tenant_id")
        let limit = parameters.pageLimit()
        let after = parameters.cursor(of: .connections)
        try parameters.finish()
        var places: [TenantID] = []
        if let tenant {
            try await Access(of: call.caller, at: .tenant(tenant), access).require(.providerView)
            places = [tenant]
        } else {
            places = try await Access.tenants(of: call.caller, holding: .providerView, access)
        }
        let page = try await tenants.connections(
            of: places, after: after.map(ConnectionID.init), limit: limit)
        return .page(
            "provider_connections", page, json: \.json, cursor: { Cursor(.connections, after: $0.id.uuid) },
            of: call)
    }

    func show(_ id: ConnectionID, _ call: Call) async throws -> Answer {
        try call.parameters.finish()
        try await Access(of: call.caller, at: .connection(id), access).require(.providerView)
        return try await answer(.ok, id)
    }

    func create(in tenant: TenantID, _ call: Call) async throws -> Answer {
        let new = try await call.read { members in
            let entraTenantID: Identifier<Never> = members.id("entra_tenant_id")
            let clientID: Identifier<Never> = members.id("client_id")
            let cloud: CloudName = members.choice("cloud")
            return ConnectionChanges.New(
                tenant: tenant, displayName: members.text("display_name", limit: Self.nameLimit),
                cloud: cloud.rawValue, entraTenantID: "\(entraTenantID)",
                entraTenantName: members.text("entra_tenant_name", limit: Self.nameLimit),
                clientID: "\(clientID)", isDefault: members.optionalBool("default"))
        }
        let place = try await Access(of: call.caller, at: .tenant(tenant), access)
        try place.require(.providerManage)
        let answer = try await changes.create(new, in: place.workspace, by: .user(call.caller.userID))
        switch answer {
        case .created(let id):
            var answer = try await self.answer(.created, id)
            answer.headers[.location] = "/v1/provider-connections/\(id)"
            return answer
        case .exists(let id): throw Problem.connectionExists(id)
        case .tooMany:
            throw Problem.conflict(
                "This tenant has \(ConnectionChanges.tenantLimit) provider connections, which is the most.",
                reasonCode: "too_many_connections")
        }
    }

    func edit(_ id: ConnectionID, _ call: Call) async throws -> Answer {
        let edit = try await call.read { members in
            let entraTenantID: Identifier<Never>? = members.optionalID("entra_tenant_id")
            return ConnectionChanges.Edit(
                displayName: members.optionalText("display_name", limit: Self.nameLimit),
                entraTenantID: entraTenantID?.description,
                entraTenantName: members.optionalText("entra_tenant_name", limit: Self.nameLimit))
        }
        guard edit != ConnectionChanges.Edit() else { throw Problem.nothingToChange }
        let revision = try call.ifMatch()
        let place = try await Access(of: call.caller, at: .connection(id), access)
        try place.require(.providerManage)
        guard let tenant = place.tenant else { throw Problem.notFound }
        let answer = try await changes.edit(
            id, of: tenant, edit, at: revision, in: place.workspace, by: .user(call.caller.userID))
        switch answer {
        case .edited(let barrier): return try await self.answer(.ok, id, barrier)
        case .stale: throw Problem.changedMeanwhile
        case .taken: throw Problem.connectionTaken
        }
    }

    func makeDefault(_ id: ConnectionID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        let place = try await Access(of: call.caller, at: .connection(id), access)
        try place.require(.providerManage)
        guard let tenant = place.tenant else { throw Problem.notFound }
        try await changes.makeDefault(id, of: tenant, in: place.workspace, by: .user(call.caller.userID))
        return try await answer(.ok, id)
    }

    // MARK: parts

    /// The longest name, in characters.
    private static let nameLimit = 200

    /// The connection, with its revision as entity tag, and with when a change took hold where it took something.
    private func answer(
        _ status: HTTPResponse.Status, _ id: ConnectionID, _ barrier: BarrierAnswer? = nil
    ) async throws -> Answer {
        guard let connection = try await tenants.connection(id) else { throw Problem.notFound }
        var body = connection.object
        for (name, value) in barrier?.members ?? [] { body[name] = value }
        let isSettled = barrier.map { $0.settledAt != nil } ?? true
        var answer = Answer.json(isSettled ? status : .accepted, .object(body))
        answer.headers[.eTag] = "\"\(connection.revision)\""
        return answer
    }
}

extension Call {
    /// The revision that the caller has seen: an edit without one could undo what somebody else did meanwhile.
    func ifMatch() throws(Problem) -> Int {
        guard let text = request.headers[.ifMatch] else { throw .revisionNeeded }
        guard text.count > 2, text.hasPrefix("\""), text.hasSuffix("\""),
            let revision = Int(text.dropFirst().dropLast()), revision > 0
        else { throw .badHeader("If-Match", "must be the ETag of the connection, for instance \"7\"") }
        return revision
    }
}

extension Problem {
    fileprivate static let nothingToChange = Problem.faulty([
        .init(pointer: "", detail: "must have display_name, entra_tenant_id or entra_tenant_name")
    ])

    fileprivate static let revisionNeeded = Problem(
        status: .preconditionRequired,
        detail: "Say which revision you have seen: «If-Match: \"7\"», with the connection's ETag.",
        reasonCode: "revision_needed", isRetryable: false)

    fileprivate static let changedMeanwhile = Problem(
        status: .preconditionFailed,
        detail: "Somebody else changed this connection meanwhile. Read it again, and decide anew.",
        reasonCode: "changed_meanwhile", isRetryable: false)

    fileprivate static func connectionExists(_ id: ConnectionID) -> Problem {
        .conflict(
            "This tenant has a connection of this application and Entra tenant already: \(id).",
            reasonCode: "connection_exists")
    }

    fileprivate static let connectionTaken = Problem.conflict(
        "This tenant has another connection of this application and Entra tenant.",
        reasonCode: "connection_exists")
}
