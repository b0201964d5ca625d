import FoundationEssentials
import JSON
import Operations
import Store

/// What was delivered by webhooks and e-mail, with each try and the next one: of a run for whoever may look at it, of a
/// webhook or all for whoever manages notifications.
struct DeliveryPage: Sendable {
    private static let pageLimit = 50

    let deliveries: DeliveryReading
    let webhooks: Webhooks
    let access: AccessReading
    let starter: StarterClient

    /// What the template reads.
    private struct View: Sendable {
        struct Try: Sendable {
            let attempt: String
            let at: MomentView
            let text: String
        }

        struct Row: Sendable {
            let id: String
            let badge: BadgeView
            let title: String
            let href: String
            let tenant: String
            let way: String
            let recipient: String
            let told: MomentView
            let tries: [Try]
            let hasTries: Bool
            let nextTry: MomentView?
        }

        let tabs: [Chip]
        /// Of which run or webhook; nil for all.
        let ofRun: String?
        let ofWebhook: String?
        let rows: [Row]
        let isEmpty: Bool
        let canRepeat: Bool
        let obstacle: String?
        /// To come back to after a change.
        let place: String
        let next: String?
        let first: String?
    }

    /// What is looked at, from the address.
    private struct Scope {
        let filter: DeliveryReading.Filter
        let run: RunID?
        let webhook: Webhook?
        let canRepeat: Bool
        /// The parameters of the address that say the same.
        let parameters: [String]
    }

    func show(_ visit: Visit) async throws -> SitePage {
        let scope = try await scope(visit)
        let before = visit.query["before"].flatMap { DeliveryID($0) }
        let page = try await deliveries.list(scope.filter, before: before, limit: Self.pageLimit)
        return SitePage(
            template: "deliveries", title: "Deliveries", section: .notifications,
            content: View(
                tabs: NotificationTabs(.deliveries).tabs, ofRun: scope.run.map(Link.run),
                ofWebhook: scope.webhook?.label, rows: page.entries.map { Self.row($0, visit.now) },
                isEmpty: page.entries.isEmpty, canRepeat: scope.canRepeat,
                obstacle: scope.canRepeat
                    ? nil : "Your role here does not include \(Capability.notificationsManage.rawValue).",
                place: Self.address(scope.parameters),
                next: page.hasMore
                    ? page.entries.last.map { Self.address(scope.parameters + ["before=\($0.id)"]) } : nil,
                first: before == nil ? nil : Self.address(scope.parameters)))
    }

    /// Throws when the visitor may not look at what the address names.
    private func scope(_ visit: Visit) async throws -> Scope {
        let caller = visit.principal
        if let text = visit.query["run"] {
            guard let run = RunID(text) else { throw Fault.notFound }
            let place = try await Access(of: caller, at: .run(run), access)
            try place.require(.operationsView)
            return Scope(
                filter: .run(run, nil), run: run, webhook: nil,
                canRepeat: place.holds(.notificationsManage), parameters: ["run=\(run)"])
        }
        if let text = visit.query["webhook"] {
            guard let id = WebhookID(text) else { throw Fault.notFound }
            let place = try await Access(of: caller, at: .webhook(id), access)
            try place.require(.notificationsManage)
            guard let webhook = try await webhooks.webhook(id, in: place.workspace) else {
                throw Fault.notFound
            }
            return Scope(
                filter: .webhook(id), run: nil, webhook: webhook, canRepeat: true,
                parameters: ["webhook=\(id)"])
        }
        let place = try await Access(of: caller, at: .workspace(caller.workspaceID), access)
        try place.require(.notificationsManage)
        return Scope(
            filter: .workspace(caller.workspaceID), run: nil, webhook: nil, canRepeat: true, parameters: [])
    }

    private static func row(_ delivery: DeliverySummary, _ now: Date) -> View.Row {
        let isMail = delivery.channel == .email
        return View.Row(
            id: "\(delivery.id)", badge: BadgeView(Presentation.badge(delivery: delivery.state)),
            title: delivery.title, href: Link.run(delivery.run), tenant: delivery.tenant.name,
            way: delivery.webhook.map { "webhook «\($0.name)»" } ?? "e-mail",
            recipient: delivery.recipient.name, told: MomentView(delivery.createdAt, now: now),
            tries: delivery.tries.map { one in
                View.Try(
                    attempt: "\(one.attempt)", at: MomentView(one.at, now: now),
                    text: DeliveryWords.result(one.result, status: one.status, isMail: isMail))
            }, hasTries: !delivery.tries.isEmpty, nextTry: delivery.nextTryAt.map { MomentView($0, now: now) }
        )
    }

    /// One try more, under the same id: the receiver can tell.
    func redeliver(_ form: FormBody, _ visit: Visit) async throws -> Outcome {
        guard let id = form["delivery"].flatMap({ DeliveryID($0) }) else { throw Fault.notFound }
        try await Access(of: visit.principal, at: .delivery(id), access).require(.notificationsManage)
        let answer = await starter.send("POST", "/v1/deliveries/\(id)/redeliver", as: visit.secret)
        return Outcome(
            path: Link.local(form["back"]) ?? NotificationTabs.Part.deliveries.href,
            notice: answer.isSuccess
                ? Notice(.good, "It is sent once more now.") : Notice(.bad, answer.detail))
    }

    private static func address(_ parameters: [String]) -> String {
        let home = NotificationTabs.Part.deliveries.href
        return parameters.isEmpty ? home : "\(home)?\(parameters.joined(separator: "&"))"
    }
}
