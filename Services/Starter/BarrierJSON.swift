import HTTPTypes
import JSON
import Operations
import Store

extension BarrierAnswer {
    /// `settled` when nothing is on the wire any more, 202 when nobody can tell of some calls.
    func answer(settled status: HTTPResponse.Status = .ok, with first: [(String, JSON)] = []) -> Answer {
        .json(settledAt == nil ? .accepted : status, .object(JSONObject(first + members)))
    }

    /// When it took hold, and the calls in doubt.
    var members: [(String, JSON)] {
        let calls = inDoubt.map { call -> JSON in
            [
                "call_id": .string("\(call.id)"), "run_id": .string("\(call.runID)"),
                "call": .string(call.call), "opened_at": Timestamp.json(call.openedAt),
                "deadline": Timestamp.json(call.deadline),
            ]
        }
        return [
            ("effective_at", Timestamp.json(effectiveAt)), ("settled_at", settledAt.json),
            ("in_doubt", .array(calls)),
        ]
    }
}
