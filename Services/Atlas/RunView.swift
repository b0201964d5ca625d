import FoundationEssentials
import JSON
import Operations

/// A run from the API, as a person sees it.
struct RunView {
    private let run: JSON

    init(_ run: JSON) { self.run = run }

    var id: String { run["run_id"]?.string ?? "" }
    var label: String { run["label"]?.string ?? run["operation"]?.string ?? "" }
    var tenant: String { run["tenant"]?["name"]?.string ?? "" }
    var isCompleted: Bool { run["state"]?.string == RunState.completed.rawValue }
    var hasSucceeded: Bool { run["outcome"]?.string == RunOutcome.succeeded.rawValue }

    /// The word for where it stands, with its icon.
    var badge: Cell { run["badge"].map { Cell(badge: $0) } ?? "" }

    /// Why it ended so, or why it waits; nil when there is nothing to say.
    var reason: String? { run["reason"]?["sentence"]?.string }

    /// One line, for lists and while it is watched.
    func line(_ style: Style) -> String {
        var text = style.paint(badge.text, badge.tone ?? .neutral) + "  \(Style.plain(label))"
        if !tenant.isEmpty { text += " on \(Style.plain(tenant))" }
        return text
    }

    /// How far it is and how long it will take, for instance «4,000 of 20,000 (20 %), about 48 s left».
    func progress(now: Date) -> String? {
        guard let done = run["progress"]?["done"]?.integer else { return nil }
        return Presentation.progress(
            done, of: run["progress"]?["total"]?.integer,
            elapsed: isCompleted ? nil : date("started_at").map(now.timeIntervalSince))
    }

    /// The columns of a list.
    static let header = ["STATE", "OPERATION", "TENANT", "STARTED BY", "QUEUED", "RUN", "BECAUSE"]

    func row(_ style: Style) -> [Cell] {
        [
            badge, Cell(label), Cell(tenant), Cell(run["initiator"]?["name"]?.string ?? "the system"),
            Cell(date("queued_at").map(style.times.text) ?? ""), Cell(id), Cell(reason ?? ""),
        ]
    }

    /// Everything about it.
    func lines(_ style: Style) -> [String] {
        var lines = [line(style)]
        if let reason {
            lines.append("  " + Style.plain(reason))
            if let remedy = run["reason"]?["remedy"]?.string { lines.append("  " + Style.plain(remedy)) }
        }
        if run["cancel_requested"]?.bool == true, !isCompleted { lines.append("  It was asked to stop.") }
        lines.append("")
        lines += Table.pairs(facts(style), style)
        let events = run["timeline"]?.array ?? []
        if !events.isEmpty {
            lines += ["", style.bold("What happened")]
            lines += Table.pairs(
                events.map { event in
                    let at = event["at"].flatMap(Timestamp.init(json:))?.date
                    return (
                        at.map(style.times.text) ?? "",
                        Cell(
                            EventWords.text(
                                event["action"]?.string ?? "", outcome: event["outcome"]?.string,
                                reasonCode: event["reason_code"]?.string))
                    )
                }, style
            ).map { "  " + $0 }
        }
        return lines
    }

    private func facts(_ style: Style) -> [(String, Cell)] {
        var facts: [(String, Cell)] = [("run", Cell(id))]
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { facts.append((name, Cell(value))) }
        }
        add("connection", run["provider_connection"]?["display_name"]?.string)
        add("started by", run["initiator"]?["name"]?.string ?? "the system")
        add("schedule", run["schedule_id"]?.string)
        add("retry of", run["retry_of"]?.string)
        add("retried by", run["retries"]?.array?.compactMap(\.string).joined(separator: ", "))
        add("queued", date("queued_at").map(style.times.text))
        add("started", date("started_at").map(style.times.text))
        add("ended", ending(style))
        add("next attempt", date("next_attempt_at").map(style.times.text))
        if !isCompleted { add("gives up", date("expires_at").map(style.times.text)) }
        if let attempt = run["attempt"]?.integer, attempt > 1 { add("attempt", "\(attempt)") }
        add("parameters", run["parameters"].flatMap { $0.isNull ? nil : $0.text })
        add("progress", progress(now: style.times.now))
        add("counts", Self.numbers(run["counts"]))
        add("items", Self.numbers(run["items"]))
        return facts
    }

    private func ending(_ style: Style) -> String? {
        guard let ended = date("completed_at") else { return nil }
        let took =
            date("started_at").map { ", after \(Presentation.length(ended.timeIntervalSince($0)))" } ?? ""
        return style.times.text(ended) + took
    }

    private func date(_ name: String) -> Date? { run[name].flatMap(Timestamp.init(json:))?.date }

    /// For instance «applied 8 · failed 1».
    private static func numbers(_ json: JSON?) -> String {
        (json?.object?.members ?? []).compactMap { name, value in
            value.integer.map { "\(name.replacing("_", with: " ")) \(Presentation.grouped($0))" }
        }.joined(separator: " · ")
    }
}
