import Operations

/// Where people let operations start by themselves. A form is sent to the page that shows it.
enum ScheduleRoute: Sendable, Hashable {
    case list, schedule(ScheduleID), new
    case create, change(ScheduleID)

    /// The page with these parts of its path; nil when there is none.
    init?(page parts: [String]) {
        switch parts {
        case ["admin", "schedules"]: self = .list
        case ["admin", "schedules", "new"]: self = .new
        default:
            guard let id = Self.id(parts) else { return nil }
            self = .schedule(id)
        }
    }

    /// The action with these parts of its path; nil when there is none.
    init?(action parts: [String]) {
        if parts == ["admin", "schedules", "new"] {
            self = .create
        } else {
            guard let id = Self.id(parts) else { return nil }
            self = .change(id)
        }
    }

    private static func id(_ parts: [String]) -> ScheduleID? {
        parts.count == 3 && parts.starts(with: ["admin", "schedules"]) ? ScheduleID(parts[2]) : nil
    }
}
