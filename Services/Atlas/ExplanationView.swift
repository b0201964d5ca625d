import FoundationEssentials
import JSON
import Operations

/// Why a run stands where it stands, as a person sees it.
struct ExplanationView {
    private let explanation: JSON
    private let run: RunView

    /// The API's answers.
    init(_ explanation: JSON, of run: JSON) {
        self.explanation = explanation
        self.run = RunView(run)
    }

    /// Whether the stored decision came out the same when it was made again. Nil when there is none.
    var isReplayEqual: Bool? { explanation["replayed"]?["equal"]?.bool }

    /// Whether the present allows it.
    private var isAllowedNow: Bool { explanation["now"]?["decision"]?.string == "allowed" }

    func lines(_ style: Style) -> [String] {
        var lines = [run.line(style), "", style.bold("Then")]
        if let then = explanation["then"], !then.isNull {
            lines += decision(then, style) + replay(style)
        } else {
            lines.append("  Nothing was decided yet.")
        }
        lines += ["", style.bold("Now")]
        lines += explanation["now"].map { decision($0, style) } ?? []
        lines += ["", style.bold("What would unblock it")]
        return lines + ["  " + Style.plain(explanation["unblock"]?.string ?? nothingToDo)]
    }

    private var nothingToDo: String {
        switch (run.isCompleted, isAllowedNow) {
        case (true, true): "It stays as it ended. Nothing stands in the way of starting it again."
        case (true, false): "It stays as it ended. Started again now, it would be refused as shown above."
        case (false, _): "Nothing stands in the way."
        }
    }

    private func replay(_ style: Style) -> [String] {
        switch isReplayEqual {
        case true?: ["  " + style.faint("Decided again from what was known then, it comes out the same.")]
        case false?:
            [
                "  "
                    + style.paint(
                        "Decided again from what was known then, it comes out differently!", .bad),
                "  The record was changed, or the rules were. Tell the platform engineer.",
            ]
        case nil: ["  It can't be decided again: its record is of another version."]
        }
    }

    private func decision(_ json: JSON, _ style: Style) -> [String] {
        let isAllowed = json["decision"]?.string == "allowed"
        let reason = json["reason_code"]?.string.flatMap(RunReason.init(code:))
        let verdict = isAllowed ? style.paint("✓ allowed", .good) : style.paint("⊘ refused", .refused)
        var lines = ["  \(verdict)  \(style.faint(circumstances(json, style)))"]
        if let reason { lines.append("  " + Presentation.sentence(reason)) }
        // The database keeps no order of members: the gate's own order is the one to show.
        let checks = json["checks"]?.object ?? JSONObject()
        let known = LegitimacyCheck.allCases.map(\.rawValue)
        for name in known + checks.keys.filter({ !known.contains($0) }) {
            guard let result = checks[name]?.string, result != "not_applicable" else { continue }
            let words = LegitimacyCheck(rawValue: name)?.words ?? Style.plain(name)
            let mark = result == "passed" ? style.paint("✓", .good) : style.paint("✗", .bad)
            lines.append("    \(mark) \(words)")
        }
        return lines
    }

    /// For instance «when attempt 2 began, 3 minutes ago».
    private func circumstances(_ json: JSON, _ style: Style) -> String {
        let attempt = json["attempt"]?.integer ?? 1
        let moment = Presentation.moment(
            json["phase"]?.string.flatMap(LegitimacyDecision.Phase.init), attempt: attempt)
        let at = json["facts"]?["read_at"].flatMap(Timestamp.init(json:))?.date
        return moment + (at.map { ", \(style.times.text($0))" } ?? "")
    }
}
