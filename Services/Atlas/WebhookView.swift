import FoundationEssentials
import JSON
import Operations

/// A webhook from the API, as a person sees it.
struct WebhookView {
    private let webhook: JSON

    init(_ webhook: JSON) { self.webhook = webhook }

    /// The columns of a list.
    static let header = ["WEBHOOK", "OF", "LEADS TO", "SIGNS BY", "NOW", "ID"]

    func row(_ style: Style) -> [Cell] {
        [Cell(label), Cell(user), Cell(origin), Cell(signing), state(style), Cell(id)]
    }

    /// Everything about it and, right after it was made, what the receiver has to be given.
    func lines(_ style: Style) -> [String] {
        var pairs: [(String, Cell)] = [
            ("webhook", Cell(id)), ("label", Cell(label)), ("tells of", Cell("runs that \(user) started")),
            ("leads to", Cell("\(origin)/…")), ("signs by", Cell(signing)), ("now", state(style)),
        ]
        for key in webhook["keys"]?.array ?? [] {
            let number = key["number"]?.integer ?? 0
            let until = date(key["expires_at"]).map { ", signs until \(style.times.exact($0))" } ?? ""
            let text = key["public_key"]?.string ?? "secret, made \(made(key, style))"
            pairs.append(("key \(number)", Cell(text + until)))
        }
        return Table.pairs(pairs, style) + secret(style)
    }

    private func secret(_ style: Style) -> [String] {
        guard let secret = webhook["secret"]?.string else { return [] }
        return [
            "", "The receiver needs this secret. It is shown this once.", "",
            "  " + style.bold(Style.plain(secret)),
        ]
    }

    private var id: String { webhook["webhook_id"]?.string ?? "" }
    private var label: String { webhook["label"]?.string ?? "" }
    private var user: String { webhook["user"]?["name"]?.string ?? "" }
    private var origin: String { webhook["origin"]?.string ?? "" }
    private var signing: String { webhook["signing"]?.string == "ed25519" ? "Ed25519" : "HMAC-SHA256" }

    private func state(_ style: Style) -> Cell {
        if webhook["enabled"]?.bool != true {
            return Cell("off: \(Self.reason(webhook["disabled_because"]?.string))", .refused)
        }
        guard let since = date(webhook["failing_since"]) else { return Cell("on", .good) }
        return Cell("on, failing since \(style.times.text(since))", .bad)
    }

    private func made(_ key: JSON, _ style: Style) -> String {
        date(key["created_at"]).map(style.times.text) ?? ""
    }

    private func date(_ json: JSON?) -> Date? { json.flatMap(Timestamp.init(json:))?.date }

    private static func reason(_ word: String?) -> String {
        switch word {
        case "person": "somebody switched it off"
        case "gone": "its receiver is gone"
        case "failing": "nothing could be delivered for days"
        default: word ?? ""
        }
    }
}
