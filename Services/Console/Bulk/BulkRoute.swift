/// Where people change many things at once. What is to be changed is chosen and looked at before it is started.
enum BulkRoute: Sendable, Hashable {
    case overview, choose
    /// Goes on choosing, or tells what would be changed.
    case look
    case start

    /// The page with these parts of its path; nil when there is none.
    init?(page parts: [String]) {
        switch parts {
        case ["admin", "bulk"]: self = .overview
        case ["admin", "bulk", "new"]: self = .choose
        default: return nil
        }
    }

    /// The action with these parts of its path; nil when there is none.
    init?(action parts: [String]) {
        switch parts {
        case ["admin", "bulk"]: self = .start
        case ["admin", "bulk", "new"]: self = .look
        default: return nil
        }
    }
}
