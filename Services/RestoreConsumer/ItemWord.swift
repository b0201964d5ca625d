/// The stable words for what came of an item, beside those of ``Obstacle``.
enum ItemWord: String, Sendable {
    /// Written before the first request; they stand while nobody knows.
    case creating, updating
    case created, updated, unchanged
    /// What a preview would do.
    case create, update

    /// What it is when it is done.
    var done: ItemWord {
        switch self {
        case .creating, .create, .created: .created
        case .updating, .update, .updated: .updated
        case .unchanged: .unchanged
        }
    }

    /// What is known of an item that was begun and not finished.
    var doubt: String {
        switch self {
        case .creating: "Its creation was sent; whether it was carried out is not known."
        case .created: "It was created; whether all of it was written is not known."
        default: "A change of it was sent; whether all of it was carried out is not known."
        }
    }
}
