import FoundationEssentials
import JSON
import Operations
import Store

/// The workspace's webhooks: which there are, a new one, other keys, switching and removing. For those who manage
/// notifications of the whole workspace. The Starter judges what was typed.
struct WebhookPage: Sendable {
    let webhooks: Webhooks
    let users: UserReading
    let access: AccessReading
    let starter: StarterClient

    /// What the template reads.
    private struct View: Sendable {
        struct Option: Sendable {
            let value: String
            let label: String
            let isChosen: Bool
        }

        struct Row: Sendable {
            let id: String
            let label: String
            let user: String
            let origin: String
            let signing: String
            let badge: BadgeView
            /// Why it is off; nil while it is on.
            let reason: String?
            let failing: MomentView?
            let isEnabled: Bool
            let keys: String
            let deliveries: String
        }

        let tabs: [Chip]
        let problems: [String]
        let rows: [Row]
        let isEmpty: Bool
        let isCut: Bool
        let url: String
        let label: String
        let people: [Option]
        let signings: [Option]
    }

    private static let address = NotificationTabs.Part.webhooks.href
    private static let labels = [
        "/url": "The address", "/label": "What it is for", "/signing": "The signature",
        "/user_id": "The person", "/overlap_seconds": "The time for which both keys sign",
    ]

    func show(_ visit: Visit) async throws -> SitePage {
        try await page(FormBody(pairs: []), problems: [], visit)
    }

    private func page(_ form: FormBody, problems: [String], _ visit: Visit) async throws -> SitePage {
        let workspace = try await manage(visit)
        let page = try await webhooks.list(of: workspace, after: nil, limit: Webhooks.workspaceLimit)
        let chosen = form["user"] ?? "\(visit.principal.userID)"
        let signing = form["signing"] ?? WebhookSigning.hmacSHA256.rawValue
        return SitePage(
            template: "webhooks", title: "Webhooks", section: .notifications,
            content: View(
                tabs: NotificationTabs(.webhooks).tabs, problems: problems,
                rows: page.entries.map { Self.row($0, visit.now) }, isEmpty: page.entries.isEmpty,
                isCut: page.hasMore, url: form["url"] ?? "", label: form["label"] ?? "",
                people: try await people(visit, workspace).map { id, name in
                    View.Option(value: id, label: name, isChosen: id == chosen)
                },
                signings: WebhookSigning.allCases.map {
                    View.Option(value: $0.rawValue, label: $0.label, isChosen: $0.rawValue == signing)
                }))
    }

    private static func row(_ webhook: Webhook, _ now: Date) -> View.Row {
        let isEnabled = webhook.disabledAt == nil
        let isFailing = isEnabled && webhook.failingSince != nil
        return View.Row(
            id: "\(webhook.id)", label: webhook.label, user: webhook.user.name, origin: webhook.origin,
            signing: webhook.signing.label,
            badge: BadgeView(Presentation.badge(webhookIsEnabled: isEnabled, isFailing: isFailing)),
            reason: isEnabled ? nil : DeliveryWords.reason(webhook.disabledBecause ?? ""),
            failing: isFailing ? webhook.failingSince.map { MomentView($0, now: now) } : nil,
            isEnabled: isEnabled,
            keys: webhook.keys.count == 1 ? "one key" : "\(webhook.keys.count) keys sign now",
            deliveries: "\(NotificationTabs.Part.deliveries.href)?webhook=\(webhook.id)")
    }

    /// Of whose runs a webhook may tell. Whoever does not see the people of the workspace makes one of their own.
    private func people(_ visit: Visit, _ workspace: WorkspaceID) async throws -> [(String, String)] {
        let caller = visit.principal
        let own = ("\(caller.userID)", caller.name)
        guard try await Access(of: caller, at: .workspace(workspace), access).holds(.accessManage) else {
            return [own]
        }
        let page = try await users.users(
            of: workspace, grantsOn: [], after: nil, limit: Page<UserSummary>.limit)
        let others = page.entries.filter { $0.id != caller.userID && !$0.isDisabled }.map { user in
            ("\(user.id)", user.kind == .system ? "\(user.name) (system)" : user.name)
        }
        return [own] + others.sorted { $0.1.lowercased() < $1.1.lowercased() }
    }

    // MARK: changes

    /// What the template of a key reads.
    private struct KeyView: Sendable {
        let label: String
        let what: String
        /// What the receiver has to be given: a secret, or the public key.
        let key: String
        let isSecret: Bool
        let done: String
    }

    func change(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        if form["change"] == "add" { return try await add(form, visit) }
        let webhook = try await webhook(form, visit)
        switch form["change"] {
        case "rotate": return try await rotate(webhook, form, visit)
        case "enable": return try await switched(webhook, on: true, visit)
        case "disable": return try await switched(webhook, on: false, visit)
        case "remove": return try await remove(webhook, form, visit)
        default: throw Fault.invalid("Choose what to do with the webhook.")
        }
    }

    private func add(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        _ = try await manage(visit)
        let body: JSON = [
            "url": .string(form["url"] ?? ""), "label": .string(form["label"] ?? ""),
            "signing": .string(form["signing"] ?? ""), "user_id": .optional(form["user"]),
        ]
        let answer = await starter.send("POST", "/v1/webhooks", body, as: visit.secret)
        guard answer.isSuccess else {
            return .again(try await page(form, problems: answer.problems(Self.labels), visit))
        }
        return .page(
            Self.key(
                answer.body, label: form["label"] ?? "",
                done: "The webhook was made. It is told of every run that ends from now on."))
    }

    /// The key is in the answer to the form and nowhere else: it can't be loaded again.
    private static func key(_ answer: JSON, label: String, done: String) -> SitePage {
        let secret = answer["secret"]?.string
        let key = secret ?? answer["keys"]?[0]?["public_key"]?.string ?? ""
        return SitePage(
            template: "webhook-key", title: "The key of \(label)", section: .notifications,
            content: KeyView(
                label: label,
                what: secret == nil
                    ? "The receiver verifies with this public key, which is no secret."
                    : "The receiver needs this secret. It is shown only now: copy it to where it is needed.",
                key: key, isSecret: secret != nil, done: done))
    }

    private func rotate(_ webhook: Webhook, _ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        let isAtOnce = form["at_once"] == "yes"
        guard form.isConfirmed else {
            return .page(
                Question(
                    "Give the webhook «\(webhook.label)» another key?",
                    [
                        isAtOnce
                            ? "The keys of now end at once: the receiver takes nothing until it has the new one."
                            : "For a day both keys sign, so that the receiver can change in peace; then only the new one does.",
                        "The new key is shown once.",
                    ], action: Self.address, form, button: "Make the key", origin: Self.address
                ).page(.notifications))
        }
        let body: JSON = isAtOnce ? ["overlap_seconds": 0] : [:]
        let answer = await starter.send(
            "POST", "/v1/webhooks/\(webhook.id)/rotate", body, as: visit.secret)
        guard answer.isSuccess else { return .done(Self.refused(answer)) }
        return .page(Self.key(answer.body, label: webhook.label, done: "The webhook has another key."))
    }

    private func switched(_ webhook: Webhook, on isOn: Bool, _ visit: Visit) async throws -> FormAnswer {
        let answer = await starter.send(
            "POST", "/v1/webhooks/\(webhook.id)/\(isOn ? "enable" : "disable")", as: visit.secret)
        guard answer.isSuccess else { return .done(Self.refused(answer)) }
        return .done(
            Outcome(
                path: Self.address,
                notice: Notice(
                    .good,
                    isOn
                        ? "The webhook «\(webhook.label)» is on."
                        : "The webhook «\(webhook.label)» is off: what waited for it is given up.")))
    }

    private func remove(_ webhook: Webhook, _ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        guard form.isConfirmed else {
            return .page(
                Question(
                    "Remove the webhook «\(webhook.label)»?",
                    [
                        "Nothing more is sent to \(webhook.origin), and its keys are forgotten.",
                        "What was delivered stays readable.",
                    ], action: Self.address, form, button: "Remove it", origin: Self.address
                ).page(.notifications))
        }
        let answer = await starter.send("DELETE", "/v1/webhooks/\(webhook.id)", as: visit.secret)
        guard answer.isSuccess else { return .done(Self.refused(answer)) }
        return .done(
            Outcome(
                path: Self.address, notice: Notice(.good, "The webhook «\(webhook.label)» was removed.")))
    }

    private static func refused(_ answer: StarterClient.Answer) -> Outcome {
        Outcome(path: address, notice: Notice(.bad, answer.detail))
    }

    // MARK: who may

    private func manage(_ visit: Visit) async throws -> WorkspaceID {
        let place = try await Access(
            of: visit.principal, at: .workspace(visit.principal.workspaceID), access)
        try place.require(.notificationsManage)
        return place.workspace
    }

    /// The webhook that a form is about, for whoever may manage it.
    private func webhook(_ form: FormBody, _ visit: Visit) async throws -> Webhook {
        guard let id = form["webhook"].flatMap({ WebhookID($0) }) else { throw Fault.notFound }
        let place = try await Access(of: visit.principal, at: .webhook(id), access)
        try place.require(.notificationsManage)
        guard let webhook = try await webhooks.webhook(id, in: place.workspace) else { throw Fault.notFound }
        return webhook
    }
}

extension WebhookSigning {
    fileprivate var label: String {
        self == .ed25519 ? "Ed25519, with a public key" : "HMAC-SHA256, with a secret"
    }
}
