import FoundationEssentials
import JSON
import Operations

/// A token from the API, as a person sees it.
struct TokenView {
    private let token: JSON

    init(_ token: JSON) { self.token = token }

    /// The columns of a list.
    static let header = ["OWNER", "KIND", "FOR", "MAY", "WHERE", "USED", "ENDS", "ID"]

    func row(_ style: Style) -> [Cell] {
        [
            Cell(token["user"]?["name"]?.string ?? ""), Cell(token["user"]?["kind"]?.string ?? ""),
            Cell(token["label"]?.string ?? ""), Cell(may), Cell(place),
            Cell(date("last_used_at").map(style.times.text) ?? "never"), end(style),
            Cell(token["token_id"]?.string ?? ""),
        ]
    }

    /// What it may be used for, in a few words.
    var may: String {
        guard let capabilities = token["capabilities"]?.array else { return "what the owner may" }
        return capabilities.compactMap(\.string).joined(separator: ", ")
    }

    var place: String {
        guard let tenants = token["tenant_ids"]?.array else { return "everywhere" }
        return tenants.count == 1 ? "1 tenant" : "\(tenants.count) tenants"
    }

    private func end(_ style: Style) -> Cell {
        if let revoked = date("revoked_at") { return Cell("revoked \(style.times.text(revoked))", .refused) }
        return Cell(date("expires_at").map(style.times.text) ?? "")
    }

    private func date(_ name: String) -> Date? { token[name].flatMap(Timestamp.init(json:))?.date }
}
