import FoundationEssentials
import JSON
import Operations
import Store

/// A member of a record's details, as people read it.
struct AuditDetail: Sendable, Hashable {
    /// The longest text of a value, in characters; the export has all of it.
    private static let textLimit = 200
    /// The most members of a record that are shown.
    private static let limit = 24

    let name: String
    let text: String
    /// What it is called leads there.
    let href: String?

    /// The ids that stand in details.
    static func ids(_ details: String) -> [UUID] {
        leaves(details).flatMap { texts($0.value).compactMap { Identifier<Never>($0)?.uuid } }
    }

    /// The details of a record; ids with the names that they have now.
    static func read(
        _ details: String, _ names: [UUID: NameReading.Named], linksPeople: Bool
    ) -> [AuditDetail] {
        leaves(details).prefix(limit).map { path, value in
            let texts = texts(value)
            let named = texts.map { text in
                Identifier<Never>(text).flatMap { names[$0.uuid]?.name }
                    ?? AuditWords.value(text, of: path.last ?? "")
            }
            let shown = named.joined(separator: ", ")
            return AuditDetail(
                name: path.map(AuditWords.name).joined(separator: " › "),
                text: shown.count > textLimit ? "\(shown.prefix(textLimit))…" : shown,
                href: texts.count == 1 ? href(texts[0], names, linksPeople: linksPeople) : nil)
        }
    }

    private static func href(
        _ text: String, _ names: [UUID: NameReading.Named], linksPeople: Bool
    ) -> String? {
        guard let id = Identifier<Never>(text)?.uuid, let kind = names[id]?.kind else { return nil }
        return switch kind {
        case .user: linksPeople ? Link.person(UserID(id)) : nil
        case .tenant: Link.tenant(TenantID(id))
        case .connection: Link.connection(ConnectionID(id))
        }
    }

    /// What of a decision is told in a line: the run's page shows all of it.
    private static let ofDecision: Set<String> = ["decision", "reason_code", "phase"]

    /// Every member that says something, with its path; what stands in objects included.
    private static func leaves(_ details: String) -> [(path: [String], value: JSON)] {
        guard let json = try? JSON(parsing: Array(details.utf8)) else { return [] }
        var leaves: [(path: [String], value: JSON)] = []
        func collect(_ value: JSON, _ path: [String]) {
            guard let object = value.object else {
                if !value.isNull { leaves.append((path, value)) }
                return
            }
            let isDecision = path == ["decision"]
            for (name, member) in object.members where !isDecision || ofDecision.contains(name) {
                collect(member, isDecision && name == "decision" ? path : path + [name])
            }
        }
        collect(json, [])
        return leaves
    }

    private static func texts(_ value: JSON) -> [String] {
        if let elements = value.array { return elements.flatMap(texts) }
        if let text = value.string { return [text] }
        if let flag = value.bool { return [flag ? "yes" : "no"] }
        if let number = value.integer { return [Presentation.grouped(number)] }
        return [value.text]
    }
}
