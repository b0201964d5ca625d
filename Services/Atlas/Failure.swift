import JSON
import Operations

/// Why a command did not do what it was asked for, in the words that a person sees: what happened, why, and
/// what to do next. Never a secret.
struct Failure: Error, Sendable, Equatable {
    /// The exit codes of failures.
    enum Code: Int32, Sendable {
        case refused = 1
        case usage = 2
        case unreachable = 3
    }

    let code: Code
    let what: String
    let why: String
    var next: String?
    /// The API's own answer, when it was the API that refused.
    var problem: JSON?

    /// For a person, most important first.
    func lines(_ style: Style) -> [String] {
        var lines = [style.paint("atlas: ", .bad) + Style.plain(what)]
        lines += why.split(separator: "\n").map { "  " + Style.plain(String($0)) }
        if let next { lines.append("  Next: " + Style.plain(next)) }
        return lines
    }

    /// For a machine.
    var json: JSON {
        var error: JSONObject = [
            "what": .string(what), "why": .string(why), "next": .optional(next),
            "exit_code": .int(Int(code.rawValue)),
        ]
        if let problem { error["problem"] = problem }
        return ["error": .object(error)]
    }
}
