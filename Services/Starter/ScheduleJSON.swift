import JSON
import Operations
import Store

// Schedules as callers see them.

extension Schedule {
    var json: JSON {
        var object: JSONObject = [
            "schedule_id": .string("\(id)"), "operation": .string(operation),
            "label": .string(OperationCatalogue.definition(named: operation)?.label ?? operation),
            "parameters": parameters ?? .null, "cron": .string(cron), "time_zone": .string(timeZone),
            "words": .optional(cadence?.words),
            "enabled": .bool(isEnabled), "run_as": person == nil ? "system" : "person",
            "person": person?.json ?? .null, "tenant": tenant.json,
            "provider_connection": [
                "id": .string("\(connection.id)"), "display_name": .string(connection.name),
            ],
            "next_due_at": nextDueAt.json, "waits_for": .optional(waitsFor),
            "last_run": lastRun?.json ?? .null, "eligible_now": .bool(obstacle == nil),
        ]
        if let obstacle { object["obstacle"] = RunReason.denial(obstacle).json(isOver: false) }
        object["created_by"] = createdBy.json
        object["created_at"] = Timestamp.json(createdAt)
        object["changed_at"] = Timestamp.json(changedAt)
        return .object(object)
    }
}

extension Schedule.LastRun {
    fileprivate var json: JSON {
        let badge = Presentation.badge(
            state: state, outcome: outcome, isWaiting: state == .queued && reason != nil)
        var object: JSONObject = [
            "run_id": .string("\(id)"), "href": .string(RunAddress.path(of: id)),
            "state": .string(state.rawValue), "outcome": .optional(outcome?.rawValue),
            "badge": [
                "label": .string(badge.label), "tone": .string(badge.tone.rawValue),
                "icon": .string(badge.icon),
            ],
            "queued_at": Timestamp.json(queuedAt),
        ]
        if let reason { object["reason"] = reason.json(isOver: state == .completed) }
        return .object(object)
    }
}
