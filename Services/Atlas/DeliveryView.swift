import FoundationEssentials
import JSON
import Operations

/// A notification on its way to a webhook or by e-mail, as a person sees it.
struct DeliveryView {
    private let delivery: JSON

    init(_ delivery: JSON) { self.delivery = delivery }

    /// What it tells, where it stands, and each try.
    func lines(_ style: Style) -> [String] {
        let head =
            "\(style.bold(Style.plain(text("title"))))  \(style.paint(state.text, state.tone ?? .neutral))"
        var lines = [
            head, "  by \(by), for \(Style.plain(delivery["recipient"]?["name"]?.string ?? ""))",
            "  "
                + style.faint(
                    "delivery \(Style.plain(text("delivery_id"))), run \(Style.plain(text("run_id")))"),
        ]
        for one in delivery["tries"]?.array ?? [] {
            let at = date(one["at"]).map(style.times.text) ?? ""
            let status = one["status"]?.integer.map { " (\($0))" } ?? ""
            let result = Self.word(one["result"]?.string ?? "")
            lines.append("  try \(one["attempt"]?.integer ?? 0)  \(at)  \(Style.plain(result))\(status)")
        }
        if let next = date(delivery["next_try_at"]) { lines.append("  next try  \(style.times.text(next))") }
        return lines
    }

    private var by: String {
        guard let webhook = delivery["webhook"]?["name"]?.string else { return "e-mail" }
        return "the webhook «\(Style.plain(webhook))»"
    }

    private var state: Cell {
        switch text("state") {
        case "delivered": Cell("delivered", .good)
        case "given_up": Cell("given up", .bad)
        case "waiting": Cell("waiting", .waiting)
        case let other: Cell(other)
        }
    }

    private func text(_ name: String) -> String { delivery[name]?.string ?? "" }

    private func date(_ json: JSON?) -> Date? { json.flatMap(Timestamp.init(json:))?.date }

    private static func word(_ result: String) -> String {
        switch result {
        case "not_sent": "not sent: see the notifier's log"
        case "timeout": "no answer in time"
        default: result.replacing("_", with: " ")
        }
    }
}
