import JSON
import Operations
import Store

/// Whether and where the visitor is told by e-mail. Nobody sets it for somebody else.
struct EmailPage: Sendable {
    let settings: EmailSettings
    let starter: StarterClient

    /// What the template reads.
    private struct View: Sendable {
        let tabs: [Chip]
        let problems: [String]
        let address: String
        let isEnabled: Bool
        /// Whether an address is kept.
        let isSet: Bool
    }

    private static let labels = ["/address": "The address"]

    func show(_ visit: Visit) async throws -> SitePage {
        let setting = try await settings.setting(of: visit.principal.userID)
        return Self.page(
            address: setting?.address ?? "", isEnabled: setting?.isEnabled ?? true, isSet: setting != nil,
            problems: [])
    }

    private static func page(
        address: String, isEnabled: Bool, isSet: Bool, problems: [String]
    ) -> SitePage {
        SitePage(
            template: "email", title: "E-mail", section: .notifications,
            content: View(
                tabs: NotificationTabs(.email).tabs, problems: problems, address: address,
                isEnabled: isEnabled, isSet: isSet))
    }

    func change(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        let origin = NotificationTabs.Part.email.href
        if form["change"] == "remove" {
            let answer = await starter.send("DELETE", "/v1/me/email", as: visit.secret)
            return .done(
                Outcome(
                    path: origin,
                    notice: answer.isSuccess
                        ? Notice(.good, "Your address was forgotten: you get no mails.")
                        : Notice(.bad, answer.detail)))
        }
        let isEnabled = form["enabled"] == "yes"
        let answer = await starter.send(
            "PUT", "/v1/me/email",
            ["address": .string(form["address"] ?? ""), "enabled": .bool(isEnabled)], as: visit.secret)
        guard answer.isSuccess else {
            return .again(
                Self.page(
                    address: form["address"] ?? "", isEnabled: isEnabled,
                    isSet: try await settings.setting(of: visit.principal.userID) != nil,
                    problems: answer.problems(Self.labels)))
        }
        return .done(
            Outcome(
                path: origin,
                notice: Notice(
                    .good,
                    isEnabled
                        ? "You are told by e-mail when your runs end."
                        : "You get no mails until you switch them on."
                )))
    }
}
