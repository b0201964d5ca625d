import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Store

/// The caller's inbox.
struct InboxRoutes: Sendable {
    let inbox: Inbox
    let access: AccessReading

    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let limit = parameters.pageLimit()
        let before = parameters.cursor(of: .notifications)
        try parameters.finish()
        let page = try await inbox.list(
            of: call.caller.userID, on: Access.tenants(of: call.caller, holding: .operationsView, access),
            before: before.map(DeliveryID.init), limit: limit)
        return .page(
            "notifications", page, json: \.json, cursor: { Cursor(.notifications, after: $0.id.uuid) },
            of: call)
    }

    /// What was told until a moment, or everything, was read.
    func markRead(_ call: Call) async throws -> Answer {
        let until = try await call.read { $0.optionalTimestamp("until") }
        try Access.requireOwn(.operationsView, of: call.caller)
        try await inbox.markRead(of: call.caller.userID, until: until)
        return .noContent
    }
}

extension InboxEntry {
    fileprivate var json: JSON {
        [
            "run_id": .string("\(run)"), "href": .string(RunAddress.path(of: run)), "tenant": tenant.json,
            "title": .string(title), "body": .string(body), "created_at": Timestamp.json(createdAt),
            "read_at": readAt.json,
        ]
    }
}
