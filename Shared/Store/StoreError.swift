/// What the store refuses by itself, beside the database's own errors.
package enum StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A stored word that this version does not know: it is older than the data.
    case unreadable(String, String)
    /// Something with that id does not exist.
    case notFound(String)
    /// The lease of this worker ended: another process has taken its runs over.
    case workerEnded

    package var description: String {
        switch self {
        case .unreadable(let column, let word): "\(column) holds «\(word)», which this version does not know"
        case .notFound(let what): "there is no such \(what)"
        case .workerEnded: "this worker's lease has ended; its runs belong to others now"
        }
    }
}
