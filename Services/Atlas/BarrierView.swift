import ArgumentParser
import FoundationEssentials
import JSON
import Operations
import Store

/// When a change that takes authority away took hold, as a person sees it.
struct BarrierView {
    private let answer: JSON

    /// The API's answer.
    init(_ answer: JSON) { self.answer = answer }

    /// The store's answer, in the API's form.
    init(_ answer: BarrierAnswer) {
        self.answer = [
            "effective_at": Timestamp.json(answer.effectiveAt),
            "settled_at": answer.settledAt.map(Timestamp.json) ?? .null,
            "in_doubt": .array(
                answer.inDoubt.map { call in
                    [
                        "call_id": .string("\(call.id)"), "run_id": .string("\(call.runID)"),
                        "call": .string(call.call), "opened_at": Timestamp.json(call.openedAt),
                        "deadline": Timestamp.json(call.deadline),
                    ]
                }),
        ]
    }

    var isSettled: Bool { inDoubt.isEmpty && date(answer, "settled_at") != nil }

    /// Tells it below the sentence that says what was done. Throws exit code 1 when a call is in doubt.
    func tell(_ sentence: String, _ output: Output) throws {
        output.tell(answer) { style in lines(sentence, style) }
        if !isSettled { throw ExitCode(Failure.Code.refused.rawValue) }
    }

    func lines(_ sentence: String, _ style: Style) -> [String] {
        var facts: [(String, Cell)] = []
        if let effective = date(answer, "effective_at") {
            facts.append(
                (
                    "effective",
                    Cell("\(style.times.both(effective)): since then no call to Microsoft begins under it")
                ))
        }
        if let settled = date(answer, "settled_at") {
            facts.append(
                ("settled", Cell("\(style.times.both(settled)): since then none is on the wire", .good)))
        }
        var lines = [Style.plain(sentence)] + Table.pairs(facts, style)
        guard !inDoubt.isEmpty else { return lines }
        let count = inDoubt.count == 1 ? "1 call is" : "\(inDoubt.count) calls are"
        lines += [
            "",
            style.paint("\(count) in doubt: what executed it was lost, and nobody can tell", .bad)
                + style.paint(" whether Microsoft still carries it out.", .bad),
        ]
        lines += Table.lines(
            ["CALL", "BEGAN", "LOST AT", "RUN"],
            inDoubt.map { call in
                [
                    Cell(call["call"]?.string ?? ""),
                    Cell(date(call, "opened_at").map(style.times.both) ?? ""),
                    Cell(date(call, "deadline").map(style.times.both) ?? ""),
                    Cell(call["run_id"]?.string ?? ""),
                ]
            }, style)
        return lines + ["Look at these in the tenant. No further call begins."]
    }

    private var inDoubt: [JSON] { answer["in_doubt"]?.array ?? [] }

    private func date(_ json: JSON, _ name: String) -> Date? {
        json[name].flatMap(Timestamp.init(json:))?.date
    }
}
