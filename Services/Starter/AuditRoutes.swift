import FoundationEssentials
import JSON
import Operations
import Store

/// Looking at what was recorded for good.
struct AuditRoutes: Sendable {
    let audit: AuditReading
    let access: AccessReading

    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let tenant: TenantID? = parameters.id("tenant_id")
        let action: AuditAction? = parameters.choice("action")
        let actor: UserID? = parameters.id("actor_id")
        let run: RunID? = parameters.id("run_id")
        let since = parameters.timestamp("since")
        let until = parameters.timestamp("until")
        let limit = parameters.pageLimit()
        let before = parameters.auditCursor()
        try parameters.finish()
        let filter = AuditFilter(
            scope: try await Access.audit(of: call.caller, tenant: tenant, access), action: action?.rawValue,
            actorID: actor, runID: run,
            since: since, until: until, before: before, limit: limit)
        let page = try await audit.list(filter)
        return .page("records", page, json: \.json, cursor: { Cursor(afterRecord: $0.entry.id) }, of: call)
    }
}

extension AuditReading.Named {
    fileprivate var json: JSON {
        [
            "record_id": .int(entry.id), "at": Timestamp.json(entry.at), "action": .string(entry.action),
            "tenant": entry.tenantID.map { ["id": .string("\($0)"), "name": .optional(tenantName)] } ?? .null,
            // Nobody: the system did it.
            "actor": entry.actorID.map { ["id": .string("\($0)"), "name": .optional(actorName)] } ?? .null,
            "run_id": .optional(entry.runID?.description),
            "run_href": .optional(entry.runID.map(RunAddress.path)),
            "details": (try? JSON(parsing: entry.details)) ?? .null,
        ]
    }
}
