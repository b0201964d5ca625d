import FoundationEssentials
import JSON
import Operations

/// A decision of the gate as the template `decision` shows it.
struct DecisionView: Sendable {
    struct Check: Sendable {
        let words: String
        let hasPassed: Bool
    }

    let isAllowed: Bool
    /// For instance «when attempt 2 was to begin».
    let moment: String
    let at: MomentView?
    let sentence: String?
    let code: String?
    let denialClass: String?
    let checks: [Check]
    let document: String

    /// A decision as it is stored, or (`isPresent`) as it would be now.
    init(_ json: JSON, isPresent: Bool = false, now: Date) {
        isAllowed = json["decision"]?.string == "allowed"
        let phase = json["phase"]?.string.flatMap(LegitimacyDecision.Phase.init)
        moment =
            isPresent
            ? "if it were asked now" : Presentation.moment(phase, attempt: json["attempt"]?.integer ?? 1)
        at =
            isPresent
            ? nil
            : json["facts"]?["read_at"].flatMap(Timestamp.init(json:)).map { MomentView($0.date, now: now) }
        let reason = json["reason_code"]?.string.flatMap(RunReason.init(code:))
        sentence = reason.map(Presentation.sentence)
        code = reason?.code
        denialClass = json["denial_class"]?.string
        // The database keeps no order of members: the gate's own order is the one to show.
        let results = json["checks"]?.object ?? JSONObject()
        checks = LegitimacyCheck.allCases.compactMap { check in
            guard let result = results[check.rawValue]?.string, result != "not_applicable" else { return nil }
            return Check(words: check.words, hasPassed: result == "passed")
        }
        document = json.indented
    }
}
