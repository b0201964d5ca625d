import HTTPTypes
import JSON
import Operations
import Store

/// Making webhooks, looking at them, changing their keys, switching and removing them.
///
/// Where a webhook leads, what it is told of goes: all of it needs `notifications.manage` on the whole workspace.
struct WebhookRoutes: Sendable {
    let webhooks: Webhooks
    let access: AccessReading
    /// Nil when the notifier's public key is not configured: none can be made.
    let sealing: WebhookSealing?

    private static let labelLimit = 200
    /// For how long an old key goes on signing, in seconds: a day unless it is asked for otherwise, a week at most.
    private static let overlap = 86_400
    private static let longestOverlap = 604_800

    private struct Wish {
        let url: String
        let label: String
        let user: UserID?
        let signing: WebhookSigning
    }

    func create(_ call: Call) async throws -> Answer {
        let wish = try await call.read { members in
            Wish(
                url: members.text("url", limit: WebhookAddress.lengthLimit),
                label: members.text("label", limit: Self.labelLimit),
                user: members.optionalID("user_id"), signing: members.choice("signing"))
        }
        let sealing = try configured()
        guard let address = WebhookAddress(wish.url, allowsHTTP: sealing.allowsHTTP) else {
            throw Problem.faulty([.init(pointer: "/url", detail: "must be \(WebhookAddress.rule)")])
        }
        let workspace = try await manage(.workspace(call.caller.workspaceID), call.caller)
        let (id, secret) = (WebhookID(sealing.makeID()), WebhookSecret.random(wish.signing))
        let new = NewWebhook(
            id: id, user: wish.user ?? call.caller.userID, label: wish.label, origin: address.origin,
            address: try sealing.address(address, of: id, in: workspace), signing: wish.signing,
            key: try sealing.key(secret, number: 1, of: id, in: workspace))
        guard try await webhooks.create(new, in: workspace, by: call.caller.userID) == .created else {
            throw Problem.tooManyWebhooks
        }
        return try await answer(.created, id, in: workspace, secret)
    }

    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let limit = parameters.pageLimit()
        let after = parameters.cursor(of: .webhooks)
        try parameters.finish()
        let workspace = try await manage(.workspace(call.caller.workspaceID), call.caller)
        let page = try await webhooks.list(of: workspace, after: after.map(WebhookID.init), limit: limit)
        return .page(
            "webhooks", page, json: { .object($0.members) }, cursor: { Cursor(.webhooks, after: $0.id.uuid) },
            of: call)
    }

    func show(_ id: WebhookID, _ call: Call) async throws -> Answer {
        try call.parameters.finish()
        return try await answer(.ok, id, in: manage(.webhook(id), call.caller))
    }

    func rotate(_ id: WebhookID, _ call: Call) async throws -> Answer {
        let overlap = try await call.read { $0.optionalInteger("overlap_seconds") } ?? Self.overlap
        guard (0...Self.longestOverlap).contains(overlap) else {
            let detail = "must be 0 to \(Self.longestOverlap)"
            throw Problem.faulty([.init(pointer: "/overlap_seconds", detail: detail)])
        }
        let workspace = try await manage(.webhook(id), call.caller)
        let sealing = try configured()
        guard let webhook = try await webhooks.webhook(id, in: workspace) else { throw Problem.notFound }
        let secret = WebhookSecret.random(webhook.signing)
        let isChanged = try await webhooks.rotate(
            id, overlapSeconds: overlap, in: workspace, by: call.caller.userID
        ) { number in try sealing.key(secret, number: number, of: id, in: workspace) }
        guard isChanged else { throw Problem.tooManyKeys }
        return try await answer(.ok, id, in: workspace, secret)
    }

    func setEnabled(_ id: WebhookID, _ isEnabled: Bool, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        let workspace = try await manage(.webhook(id), call.caller)
        try await webhooks.setEnabled(id, isEnabled, in: workspace, by: call.caller.userID)
        return try await answer(.ok, id, in: workspace)
    }

    func remove(_ id: WebhookID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        let workspace = try await manage(.webhook(id), call.caller)
        try await webhooks.remove(id, in: workspace, by: call.caller.userID)
        return .noContent
    }

    private func configured() throws(Problem) -> WebhookSealing {
        guard let sealing else { throw .webhooksOff }
        return sealing
    }

    private func manage(_ place: AccessReading.Place, _ caller: Principal) async throws -> WorkspaceID {
        let access = try await Access(of: caller, at: place, access)
        try access.require(.notificationsManage)
        return access.workspace
    }

    /// With `secret`, this answer is the only one that ever shows it.
    private func answer(
        _ status: HTTPResponse.Status, _ id: WebhookID, in workspace: WorkspaceID,
        _ secret: WebhookSecret? = nil
    ) async throws -> Answer {
        guard let webhook = try await webhooks.webhook(id, in: workspace) else { throw Problem.notFound }
        var members = webhook.members
        if let secret = secret?.reveal() { members["secret"] = .string(secret) }
        var answer = Answer.json(status, .object(members))
        if status == .created { answer.headers[.location] = "/v1/webhooks/\(id)" }
        return answer
    }
}

extension Webhook {
    fileprivate var members: JSONObject {
        [
            "webhook_id": .string("\(id)"), "label": .string(label), "origin": .string(origin),
            "user": user.json, "signing": .string(signing.rawValue), "enabled": .bool(disabledAt == nil),
            "disabled_at": disabledAt.json, "disabled_because": .optional(disabledBecause),
            "failing_since": failingSince.json,
            "keys": .array(
                keys.map { key in
                    [
                        "number": .int(key.number), "public_key": .optional(key.publicKey),
                        "created_at": Timestamp.json(key.createdAt), "expires_at": key.expiresAt.json,
                    ]
                }),
            "created_at": Timestamp.json(createdAt),
        ]
    }
}

extension Problem {
    fileprivate static let webhooksOff = Problem.conflict(
        "Webhooks are off here: the platform engineer has to set NOTIFIER_PUBLIC_KEY.",
        reasonCode: "webhooks_off")

    fileprivate static let tooManyWebhooks = Problem.conflict(
        "A person or system has at most \(Webhooks.userLimit) webhooks, and a workspace at most"
            + " \(Webhooks.workspaceLimit). Remove one first.", reasonCode: "too_many_webhooks")

    fileprivate static let tooManyKeys = Problem.conflict(
        "\(Webhooks.keyLimit) keys of this webhook sign already. Wait until the oldest expires, or ask for an overlap"
            + " of 0 s, which ends the old ones at once.", reasonCode: "too_many_keys")
}
