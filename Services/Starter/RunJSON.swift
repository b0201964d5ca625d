import FoundationEssentials
import JSON
import Operations
import Store

// Runs as callers see them.

extension RunSummary {
    var json: JSON { .object(members) }

    fileprivate var members: JSONObject {
        let definition = OperationCatalogue.definition(named: operation)
        let badge = Presentation.badge(
            state: state, outcome: outcome, isWaiting: state == .queued && reason != nil)
        var object: JSONObject = [
            "run_id": .string("\(id)"), "operation": .string(operation),
            "label": .string(definition?.label ?? operation), "state": .string(state.rawValue),
            "outcome": .optional(outcome?.rawValue),
            "badge": [
                "label": .string(badge.label), "tone": .string(badge.tone.rawValue),
                "icon": .string(badge.icon),
            ],
        ]
        if let reason { object["reason"] = reason.json(isOver: state == .completed) }
        // In the order of their meaning, which the database does not keep.
        object["counts"] = definition.flatMap { try? SummaryCounts(json: counts, for: $0).json } ?? counts
        if let progress {
            object["progress"] = ["done": .int(progress.done), "total": .optional(progress.total)]
        }
        object["attempt"] = .int(attempt)
        object["cancel_requested"] = .bool(cancelRequested)
        object["queued_at"] = Timestamp.json(queuedAt)
        object["started_at"] = startedAt.json
        object["completed_at"] = completedAt.json
        object["next_attempt_at"] = nextAttemptAt.json
        object["expires_at"] = Timestamp.json(expiresAt)
        object["workspace_id"] = .string("\(workspaceID)")
        object["tenant"] = tenant.json
        object["provider_connection"] = [
            "id": .string("\(connection.id)"), "display_name": .string(connection.name),
        ]
        object["initiator"] = initiator?.json ?? .null
        object["schedule_id"] = .optional(scheduleID?.description)
        object["retry_of"] = .optional(retryOf?.description)
        return object
    }
}

extension RunDetail {
    var json: JSON {
        var object = summary.members
        object["parameters"] = parameters ?? .null
        object["context"] = context
        object["timeline"] = .array(timeline.map(\.json))
        object["items"] = .object(
            JSONObject(
                items.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key.rawValue, .int($0.value)) }))
        object["retries"] = .array(retries.map { .string("\($0)") })
        return .object(object)
    }
}

extension RunDetail.Event {
    fileprivate var json: JSON {
        var object: JSONObject = ["at": Timestamp.json(at), "action": .string(action)]
        if let outcome { object["outcome"] = .string(outcome) }
        if let reasonCode { object["reason_code"] = .string(reasonCode) }
        return .object(object)
    }
}

extension Ledger.Item {
    /// What is known of it; members without a value are left out.
    var json: JSON {
        var object: JSONObject = ["key": .string(key), "state": .string(state.rawValue)]
        for (name, text) in [
            ("result", result), ("label", label), ("detail", detail), ("object_id", objectID),
        ] {
            if let text { object[name] = .string(text) }
        }
        return .object(object)
    }
}

extension RunExplanation {
    var json: JSON {
        [
            "then": then ?? .null,
            "replayed": replay.map { ["equal": .bool($0.isEqual), "decision": $0.decision] } ?? .null,
            "now": now.json,
            "unblock": .optional(unblock),
        ]
    }
}

extension RunReason {
    /// The word, and what people need to know about it.
    func json(isOver: Bool) -> JSON {
        var object: JSONObject = ["code": .string(code)]
        if case .denial(let denial) = self { object["class"] = .string(denial.denialClass.rawValue) }
        object["sentence"] = .string(Presentation.sentence(self))
        object["remedy"] = .string(Presentation.remedy(self, isOver: isOver))
        object["retryable"] = .bool(isRetryable)
        return .object(object)
    }
}

extension RunSummary.Named {
    /// The id and the name.
    var json: JSON { ["id": .string("\(id)"), "name": .string(name)] }
}

extension Date? {
    /// The moment, or null.
    var json: JSON { map(Timestamp.json) ?? .null }
}
