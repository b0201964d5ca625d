import FoundationEssentials
import JSON
import Operations
import Store

/// What the visitor may do where, and the visitor's own tokens.
struct MePages: Sendable {
    private static let tokenLimit = Page<TokenSummary>.limit

    let tenants: TenantReading
    let names: NameReading
    let tokens: TokenReading
    let access: AccessReading
    let starter: StarterClient

    private struct View: Sendable {
        struct Grant: Sendable {
            let place: String
            let role: String
            let capabilities: String
        }

        struct Token: Sendable {
            let id: String
            let label: String
            let reach: String
            let made: MomentView
            let ends: MomentView
            let used: MomentView?
            /// Why it is good for nothing; nil when it is good.
            let end: String?
        }

        let name: String
        let grants: [Grant]
        let isEmpty: Bool
        let tokens: [Token]
        let hasTokens: Bool
        let areTokensCut: Bool
        let problems: [String]
        let label: String
        let days: String
        let mostDays: Int
        let capabilities: [Option]
        let places: [Option]
        let hasPlaces: Bool
    }

    func show(_ visit: Visit) async throws -> SitePage {
        let form = FormBody(pairs: [("days", "\(TokenLifetime.standard)")])
        return try await page(form, problems: [], visit)
    }

    private func page(_ form: FormBody, problems: [String], _ visit: Visit) async throws -> SitePage {
        let caller = visit.principal
        let grants = try await access.grants(of: caller.userID, in: caller.workspaceID)
        let visible = try await Access.tenants(of: caller, holding: .operationsView, access)
        let own = try await tokens.tokens(
            of: caller.userID, in: caller.workspaceID, after: nil, limit: Self.tokenLimit)
        let found = try await names.names(
            of: visible.map(\.uuid) + grants.compactMap(\.tenantID?.uuid), in: caller.workspaceID, on: visible
        )
        let chosen = Set(form.all("capability") + form.all("tenant"))
        let places = visible.compactMap { tenant in
            found[tenant.uuid].map {
                Option(value: "\(tenant)", label: $0.name, isChosen: chosen.contains("\(tenant)"))
            }
        }.sorted { $0.label.lowercased() < $1.label.lowercased() }
        let held = Capability.allCases.filter { capability in grants.contains { $0.role.holds(capability) } }
        return SitePage(
            template: "me", title: "What you may do", section: .me,
            content: View(
                name: caller.name,
                grants: grants.map { grant in
                    View.Grant(
                        place: grant.tenantID.map { found[$0.uuid]?.name ?? "\($0)" }
                            ?? "Every tenant of the workspace",
                        role: grant.role.rawValue,
                        capabilities: Capability.allCases.filter(grant.role.holds).map(\.rawValue)
                            .joined(separator: ", "))
                }, isEmpty: grants.isEmpty,
                tokens: own.entries.reversed().map { Self.token($0, found, visit.now) },
                hasTokens: !own.entries.isEmpty, areTokensCut: own.hasMore, problems: problems,
                label: form["label"] ?? "", days: form["days"] ?? "",
                mostDays: TokenLifetime.range.upperBound,
                capabilities: held.map {
                    Option(
                        value: $0.rawValue, label: $0.rawValue, isChosen: chosen.contains($0.rawValue))
                }, places: places, hasPlaces: !places.isEmpty))
    }

    private static func token(
        _ token: TokenSummary, _ names: [UUID: NameReading.Named], _ now: Date
    ) -> View.Token {
        let may = token.scope.capabilities.map { $0.map(\.rawValue).sorted().joined(separator: ", ") }
        let places = token.scope.tenants.map { tenants in
            tenants.map { names[$0.uuid]?.name ?? "\($0)" }.sorted().joined(separator: ", ")
        }
        let reach = [may, places.map { "on \($0)" }].compactMap(\.self).joined(separator: " ")
        return View.Token(
            id: token.id.uuidString.lowercased(), label: token.label,
            reach: reach.isEmpty ? "everything that you may" : reach,
            made: MomentView(token.createdAt, now: now), ends: MomentView(token.expiresAt, now: now),
            used: token.lastUsedAt.map { MomentView($0, now: now) },
            end: token.revokedAt != nil ? "revoked" : token.expiresAt <= now ? "expired" : nil)
    }

    // MARK: tokens

    private struct MadeView: Sendable {
        let label: String
        let token: String
        let ends: MomentView?
    }

    private static let labels = [
        "/label": "What it is for", "/days": "The number of days", "/capabilities": "What it may do",
        "/tenant_ids": "The tenants",
    ]

    func change(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        switch form["change"] {
        case "make": try await make(form, visit)
        case "revoke": try await revoke(form, visit)
        default: throw Fault.invalid("Choose what to do with your tokens.")
        }
    }

    /// The token is in the answer to the form and nowhere else: it can't be loaded again.
    private func make(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        func list(_ name: String) -> JSON {
            let values = form.all(name)
            return values.isEmpty ? .null : .array(values.map(JSON.string))
        }
        let body: JSON = [
            "label": .string(form["label"] ?? ""),
            "days": form["days"].map { text in Int(text).map(JSON.int) ?? .string(text) } ?? .null,
            "capabilities": list("capability"), "tenant_ids": list("tenant"),
        ]
        let answer = await starter.send("POST", "/v1/tokens", body, as: visit.secret)
        guard answer.isSuccess, let token = answer.body["token"]?.string else {
            return .again(try await page(form, problems: answer.problems(Self.labels), visit))
        }
        let ends = answer.body["expires_at"].flatMap(Timestamp.init(json:))?.date
        return .page(
            SitePage(
                template: "token-made", title: "Your new token", section: .me,
                content: MadeView(
                    label: form["label"] ?? "", token: token,
                    ends: ends.map { MomentView($0, now: visit.now) })))
    }

    private func revoke(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        let caller = visit.principal
        guard let id = form["token"].flatMap({ Identifier<Never>($0) }),
            let token = try await tokens.token(id.uuid, in: caller.workspaceID),
            token.owner.id == caller.userID
        else { throw Fault.notFound }
        let origin = SitePage.Section.me.href
        guard form.isConfirmed else {
            return .page(
                Question(
                    "Revoke the token «\(token.label)»?",
                    ["Whatever uses it is turned away from its next request on."], action: origin, form,
                    button: "Revoke it", origin: origin
                ).page(.me))
        }
        let answer = await starter.send("DELETE", "/v1/tokens/\(id)", as: visit.secret)
        return .done(
            Outcome(
                path: origin,
                notice: answer.isSuccess
                    ? Notice(.good, "The token «\(token.label)» was revoked.") : Notice(.bad, answer.detail)))
    }
}
