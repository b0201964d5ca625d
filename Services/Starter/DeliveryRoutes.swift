import HTTPTypes
import JSON
import Operations
import Store

/// What was delivered by webhooks and e-mail, and one try more.
struct DeliveryRoutes: Sendable {
    let deliveries: DeliveryReading
    let access: AccessReading

    /// Of a run for whoever may look at it; of a webhook, or all, for whoever manages notifications.
    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let run: RunID? = parameters.id("run_id")
        let webhook: WebhookID? = parameters.id("webhook_id")
        let limit = parameters.pageLimit()
        let before = parameters.cursor(of: .deliveries)
        try parameters.finish()
        let page = try await deliveries.list(
            filter(run, webhook, call), before: before.map(DeliveryID.init), limit: limit)
        return .page(
            "deliveries", page, json: \.json, cursor: { Cursor(.deliveries, after: $0.id.uuid) }, of: call)
    }

    /// What the caller may see of what was asked for.
    private func filter(
        _ run: RunID?, _ webhook: WebhookID?, _ call: Call
    ) async throws -> DeliveryReading.Filter {
        if let webhook { _ = try await require(.notificationsManage, .webhook(webhook), call) }
        if let run {
            _ = try await require(.operationsView, .run(run), call)
            return .run(run, webhook)
        }
        if let webhook { return .webhook(webhook) }
        return .workspace(
            try await require(.notificationsManage, .workspace(call.caller.workspaceID), call))
    }

    func show(_ id: DeliveryID, _ call: Call) async throws -> Answer {
        try call.parameters.finish()
        _ = try await require(.operationsView, .delivery(id), call)
        return try await answer(.ok, id)
    }

    /// The same again, under the same id: the receiver can tell.
    func redeliver(_ id: DeliveryID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        let workspace = try await require(.notificationsManage, .delivery(id), call)
        guard try await deliveries.repeatDelivery(id, in: workspace, by: call.caller.userID) == .due else {
            throw Problem.nobodyWants
        }
        return try await answer(.accepted, id)
    }

    private func require(
        _ capability: Capability, _ place: AccessReading.Place, _ call: Call
    ) async throws -> WorkspaceID {
        let access = try await Access(of: call.caller, at: place, access)
        try access.require(capability)
        return access.workspace
    }

    private func answer(_ status: HTTPResponse.Status, _ id: DeliveryID) async throws -> Answer {
        guard let delivery = try await deliveries.delivery(id) else { throw Problem.notFound }
        return .json(status, delivery.json)
    }
}

extension DeliverySummary {
    fileprivate var json: JSON {
        [
            "delivery_id": .string("\(id)"), "run_id": .string("\(run)"),
            "href": .string(RunAddress.path(of: run)), "tenant": tenant.json,
            "channel": .string(channel.rawValue), "recipient": recipient.json,
            "webhook": webhook?.json ?? .null, "title": .string(title), "state": .string(state.rawValue),
            "attempts": .int(attempts), "created_at": Timestamp.json(createdAt),
            "next_try_at": nextTryAt.json,
            "tries": .array(
                tries.map { one in
                    [
                        "attempt": .int(one.attempt), "at": Timestamp.json(one.at),
                        "result": .string(one.result), "status": .optional(one.status),
                    ]
                }),
        ]
    }
}

extension Problem {
    fileprivate static let nobodyWants = Problem.conflict(
        "Nobody wants this any more: the webhook is switched off or removed, the mails are switched off, or the"
            + " person is disabled. Switch it on first.", reasonCode: "delivery_unwanted")
}
