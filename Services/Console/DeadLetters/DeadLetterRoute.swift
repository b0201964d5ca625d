/// The page of what no program could process.
enum DeadLetterRoute: Sendable, Hashable {
    case list, change

    /// The page with these parts of its path; nil when there is none.
    init?(page parts: [String]) {
        guard parts == ["admin", "dead-letters"] else { return nil }
        self = .list
    }

    /// The action with these parts of its path; nil when there is none.
    init?(action parts: [String]) {
        guard parts == ["admin", "dead-letters"] else { return nil }
        self = .change
    }
}
