import FoundationEssentials
import JSON
import Operations
import Store

/// Making a provider connection, and changing what people say about it. The Starter judges what was typed.
struct ConnectionForms: Sendable {
    let tenants: TenantReading
    let names: NameReading
    let access: AccessReading
    let starter: StarterClient

    /// What the template reads.
    private struct View: Sendable {
        let heading: String
        let action: String
        let origin: String
        let button: String
        let problems: [String]
        let isNew: Bool
        let tenants: [Option]
        let clouds: [Option]
        let displayName: String
        let entraTenantID: String
        let entraTenantName: String
        let clientID: String
        let isDefault: Bool
        /// What the person has seen.
        let revision: String
    }

    private static let labels = [
        "/display_name": "The name", "/entra_tenant_id": "The Entra tenant's id",
        "/entra_tenant_name": "The Entra tenant's name", "/client_id": "The application's id",
        "/cloud": "The cloud", "/default": "The default",
    ]

    // MARK: a new one

    private static let newAddress = "/admin/provider-connections/new"

    func new(_ visit: Visit) async throws -> SitePage { try await new(visit.query, problems: [], visit) }

    private func new(_ form: FormBody, problems: [String], _ visit: Visit) async throws -> SitePage {
        let managed = try await Access.tenants(of: visit.principal, holding: .providerManage, access)
        let asked = form["tenant"].flatMap { TenantID($0) }
        if let asked {
            try await Access(of: visit.principal, at: .tenant(asked), access).require(.providerManage)
        }
        guard !managed.isEmpty else { throw Fault.forbidden(.providerManage) }
        let found = try await names.names(
            of: managed.map(\.uuid), in: visit.principal.workspaceID, on: managed)
        let options = managed.compactMap { tenant in
            found[tenant.uuid].map {
                Option(value: "\(tenant)", label: $0.name, isChosen: tenant == asked)
            }
        }.sorted { $0.label.lowercased() < $1.label.lowercased() }
        return SitePage(
            template: "connection-form", title: "New connection", section: .connections,
            content: View(
                heading: "New connection", action: Self.newAddress,
                origin: asked.map(Link.tenant) ?? SitePage.Section.connections.href,
                button: "Create the connection", problems: problems, isNew: true, tenants: options,
                clouds: Self.clouds(form["cloud"]), displayName: form["display_name"] ?? "",
                entraTenantID: form["entra_tenant_id"] ?? "",
                entraTenantName: form["entra_tenant_name"] ?? "",
                clientID: form["client_id"] ?? "", isDefault: form["default"] == "yes", revision: ""))
    }

    private static func clouds(_ chosen: String?) -> [Option] {
        CloudName.allCases.map {
            Option(
                value: $0.rawValue, label: $0.label,
                isChosen: $0.rawValue == chosen ?? CloudName.global.rawValue)
        }
    }

    func create(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        guard let tenant = form["tenant"].flatMap({ TenantID($0) }) else {
            return .again(try await new(form, problems: ["Choose the tenant."], visit))
        }
        try await Access(of: visit.principal, at: .tenant(tenant), access).require(.providerManage)
        let body: JSON = [
            "display_name": .string(form["display_name"] ?? ""), "cloud": .string(form["cloud"] ?? ""),
            "entra_tenant_id": .string(form["entra_tenant_id"]?.lowercased() ?? ""),
            "entra_tenant_name": .string(form["entra_tenant_name"] ?? ""),
            "client_id": .string(form["client_id"]?.lowercased() ?? ""),
            "default": .bool(form["default"] == "yes"),
        ]
        let answer = await starter.send(
            "POST", "/v1/tenants/\(tenant)/provider-connections", body, as: visit.secret)
        guard answer.isSuccess,
            let id = answer.body["provider_connection_id"]?.string.flatMap({ ConnectionID($0) })
        else { return .again(try await new(form, problems: answer.problems(Self.labels), visit)) }
        return .done(
            Outcome(
                path: Link.connection(id),
                notice: Notice(
                    .good,
                    "The connection was created. Nothing can be started on it before it has a credential.",
                    link: ("Set the credential", Link.credential(id)))))
    }

    // MARK: a known one

    func edit(_ id: ConnectionID, _ visit: Visit) async throws -> SitePage {
        let connection = try await managed(id, visit)
        let present = FormBody(pairs: [
            ("display_name", connection.displayName), ("entra_tenant_id", connection.entraTenantID),
            ("entra_tenant_name", connection.entraTenantName), ("revision", "\(connection.revision)"),
        ])
        return edit(connection, present, problems: [])
    }

    private func edit(_ connection: ConnectionSummary, _ form: FormBody, problems: [String]) -> SitePage {
        SitePage(
            template: "connection-form", title: "Edit \(connection.displayName)", section: .connections,
            content: View(
                heading: "Edit \(connection.displayName)", action: "\(Link.connection(connection.id))/edit",
                origin: Link.connection(connection.id), button: "Save", problems: problems, isNew: false,
                tenants: [], clouds: [], displayName: form["display_name"] ?? "",
                entraTenantID: form["entra_tenant_id"] ?? "",
                entraTenantName: form["entra_tenant_name"] ?? "",
                clientID: connection.clientID, isDefault: connection.isDefault,
                revision: form["revision"] ?? ""))
    }

    func save(_ id: ConnectionID, _ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        let connection = try await managed(id, visit)
        let changes = Self.changes(form, connection)
        guard !changes.isEmpty else {
            return .done(Outcome(path: Link.connection(id), notice: Notice(.good, "Nothing was changed.")))
        }
        if changes["entra_tenant_id"] != nil, !form.isConfirmed {
            return .page(Self.question(connection, form).page(.connections))
        }
        let answer = await starter.send(
            "PATCH", "/v1/provider-connections/\(id)", .object(changes),
            headers: [("If-Match", "\"\(form["revision"] ?? "")\"")], as: visit.secret)
        guard answer.isSuccess else {
            return .again(edit(connection, form, problems: answer.problems(Self.labels)))
        }
        let done = "The connection was changed."
        if let address = TookEffectPage.address(done, answer.body, origin: Link.connection(id), visit) {
            return .done(Outcome(path: address, notice: nil))
        }
        return .done(Outcome(path: Link.connection(id), notice: Notice(.good, done)))
    }

    private static func changes(_ form: FormBody, _ connection: ConnectionSummary) -> JSONObject {
        var changes = JSONObject()
        for (name, present) in [
            ("display_name", connection.displayName), ("entra_tenant_id", connection.entraTenantID),
            ("entra_tenant_name", connection.entraTenantName),
        ] {
            let typed = form[name] ?? ""
            let text = name == "entra_tenant_id" ? typed.lowercased() : typed
            if text != present { changes[name] = .string(text) }
        }
        return changes
    }

    private static func question(_ connection: ConnectionSummary, _ form: FormBody) -> Question {
        Question(
            "Let \(connection.displayName) point to another Entra tenant?",
            [
                "What is queued or running on it is refused, because it was started for another Entra tenant.",
                "What the last check found out no longer holds: check the connection before changing anything through it.",
                "The answer waits for the calls to Microsoft that are on the wire, which can take some minutes.",
            ], action: "\(Link.connection(connection.id))/edit", form, button: "Change the Entra tenant",
            origin: Link.connection(connection.id))
    }

    func makeDefault(_ id: ConnectionID, _ visit: Visit) async throws -> Outcome {
        let connection = try await managed(id, visit)
        let answer = await starter.send("PUT", "/v1/provider-connections/\(id)/default", as: visit.secret)
        return Outcome(
            path: Link.connection(id),
            notice: answer.isSuccess
                ? Notice(.good, "\(connection.displayName) is the default of \(connection.tenant.name) now.")
                : Notice(.bad, answer.detail))
    }

    /// A connection that the visitor may manage.
    private func managed(_ id: ConnectionID, _ visit: Visit) async throws -> ConnectionSummary {
        try await Access(of: visit.principal, at: .connection(id), access).require(.providerManage)
        guard let connection = try await tenants.connection(id) else { throw Fault.notFound }
        return connection
    }
}
