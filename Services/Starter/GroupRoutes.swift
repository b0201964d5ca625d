import JSON
import Operations
import Store

/// Looking for groups of tenants' directories, from which people choose what policies are assigned to.
struct GroupRoutes: Sendable {
    /// The longest part of a name that is looked for, in characters: as long as names get.
    private static let longestName = 256

    let directory: DirectoryReading
    let access: AccessReading

    func list(_ tenant: TenantID, _ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let name = parameters.text("name", limit: Self.longestName)
        let limit = parameters.pageLimit()
        let after = parameters.groupCursor()
        try parameters.finish()
        try await Access(of: call.caller, at: .tenant(tenant), access).require(.providerView)
        let page = try await directory.groups(of: tenant, named: name, after: after, limit: limit)
        return .page("groups", page, json: \.json, cursor: { Cursor(afterGroup: $0.position) }, of: call)
    }
}

extension GroupSummary {
    fileprivate var json: JSON {
        [
            "group_id": .string(id), "display_name": .optional(name),
            "provider_connection": [
                "id": .string("\(connection.id)"), "display_name": .string(connection.name),
            ],
            "seen_at": Timestamp.json(seenAt),
        ]
    }
}
