import FoundationEssentials
import JSON
import Operations

/// A provider connection from the API, as a person sees it.
struct ConnectionView {
    private let connection: JSON

    init(_ connection: JSON) { self.connection = connection }

    /// The columns of a list.
    static let header = [
        "TENANT", "CONNECTION", "HEALTH", "CHECKED", "SWITCHED", "DEFAULT", "ID", "BECAUSE",
    ]

    func row(_ style: Style) -> [Cell] {
        [
            Cell(tenant), Cell(name), health, Cell(checked(style)), switched, chosen,
            Cell(id), Cell(because),
        ]
    }

    /// Everything about it.
    func lines(_ style: Style) -> [String] {
        var pairs: [(String, Cell)] = [
            ("connection", Cell(name)), ("id", Cell(id)), ("tenant", Cell(tenant)),
            ("cloud", Cell(text("cloud"))),
            ("entra tenant", Cell("\(text("entra_tenant_name")) (\(text("entra_tenant_id")))")),
            ("application", Cell(text("client_id"))), ("default", Cell(isDefault ? "yes" : "no")),
            ("switched", switched), ("health", health), ("checked", Cell(checked(style))),
        ]
        if !because.isEmpty { pairs.append(("because", Cell(because))) }
        pairs += credential(style)
        pairs.append(("revision", Cell("\(connection["revision"]?.integer ?? 0)")))
        return Table.pairs(pairs, style)
    }

    private func credential(_ style: Style) -> [(String, Cell)] {
        guard let credential = connection["credential"], credential.object != nil else {
            return [("credential", Cell("none", .refused))]
        }
        return Self.credential(credential, style)
    }

    /// What is told of a credential.
    static func credential(_ credential: JSON, _ style: Style) -> [(String, Cell)] {
        let kind = credential["kind"]?.string == "certificate" ? "certificate" : "client secret"
        var pairs: [(String, Cell)] = [
            ("credential", Cell("\(kind), version \(credential["version"]?.integer ?? 0)"))
        ]
        if let thumbprint = credential["thumbprint_sha256"]?.string {
            pairs.append(("thumbprint", Cell(thumbprint)))
        }
        let by = credential["set_by"]?["name"]?.string ?? "the operator's command"
        if let at = credential["set_at"].flatMap(Timestamp.init(json:))?.date {
            pairs.append(("set", Cell("\(style.times.both(at)) by \(by)")))
        }
        let end = credential["expires_at"].flatMap(Timestamp.init(json:))?.date
        pairs.append(("expires", Cell(end.map(style.times.both) ?? "nobody said when")))
        return pairs
    }

    private func text(_ name: String) -> String { connection[name]?.string ?? "" }
    private var id: String { text("provider_connection_id") }
    private var name: String { text("display_name") }
    private var tenant: String { connection["tenant"]?["name"]?.string ?? "" }
    private var isDefault: Bool { connection["default"]?.bool == true }
    private var switched: Cell {
        Cell(Presentation.badge(connectionIsEnabled: connection["enabled"]?.bool == true))
    }
    private var chosen: Cell { isDefault ? Cell(Presentation.defaultConnection) : "" }

    private func checked(_ style: Style) -> String {
        connection["health_checked_at"].flatMap(Timestamp.init(json:)).map { style.times.text($0.date) }
            ?? "never"
    }

    private var because: String {
        if connection["credential"]?.isNull != false { return "No credential is set." }
        return connection["health_reason"]?.string.flatMap(RunReason.init(code:)).map(Presentation.sentence)
            ?? ""
    }

    /// A word that this version does not know is shown as it came.
    private var health: Cell {
        ConnectionHealth(rawValue: text("health")).map { Cell(Presentation.badge(health: $0)) }
            ?? Cell(text("health"))
    }
}
