/// What the store refuses by itself, beside the database's own errors.
package enum StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A stored word that this version does not know: it is older than the data.
    case unreadable(String, String)
    /// Something with that id does not exist.
    case notFound(String)
    /// The lease of this worker ended: another process has taken its runs over.
    case workerEnded
    /// The database was restored on another server than the one its audit was sealed on, and `atlas migrate` has not run
    /// there yet.
    case notSettled

    package var description: String {
        switch self {
        case .unreadable(let column, let word): "\(column) holds «\(word)», which this version does not know"
        case .notFound(let what): "there is no such \(what)"
        case .workerEnded: "this worker's lease has ended; its runs belong to others now"
        case .notSettled:
            "the database came to another server: run «atlas migrate» on it, then its audit goes on"
        }
    }
}
