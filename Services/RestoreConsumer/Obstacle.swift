import Graph
import Operations

/// Why an item can't be restored: a stable word, and a sentence for people.
struct Obstacle: Error, Sendable, Hashable {
    /// The two ways in which a preview names it.
    enum Kind: String, Sendable {
        /// The tenant has something in its place that can't be told or changed.
        case conflict
        case notRestorable = "not_restorable"
    }

    let kind: Kind
    let word: String
    let sentence: String

    private init(_ kind: Kind, _ word: String, _ sentence: String) {
        self.kind = kind
        self.word = word
        self.sentence = sentence
    }

    static let notInBackup = Obstacle(.notRestorable, "not_in_backup", "The backup set has no such item.")
    static let notWritable = Obstacle(
        .notRestorable, "not_writable",
        "Apps can't be restored: their content can't be read, so no backup holds it.")
    static let notAssignable = Obstacle(
        .notRestorable, "not_assignable", "Objects of this kind have no assignments of their own.")
    static let objectMissing = Obstacle(
        .notRestorable, "object_missing",
        "It is not in the tenant, so nothing can be assigned. Restore the whole item.")
    static let vanished = Obstacle(
        .notRestorable, "vanished", "It was created by this run, and somebody has deleted it since.")

    static func secretsMasked(_ count: Int) -> Obstacle {
        Obstacle(
            .notRestorable, "secrets_masked",
            "It has \(count == 1 ? "a secret" : "\(count) secrets") that no backup can hold, "
                + "and would be written without. Restore it by hand.")
    }

    static func ambiguous(_ count: Int, name: String) -> Obstacle {
        Obstacle(
            .conflict, "ambiguous",
            "\(count) objects of this type are called «\(name)»: which of them it is can't be known.")
    }

    static func fixed(_ member: String) -> Obstacle {
        Obstacle(
            .conflict, "fixed_differs",
            "The tenant's object has another \(member.replacing("@odata.", with: "")), which can't be changed."
        )
    }

    static func groupsMissing(_ ids: [String]) -> Obstacle {
        let shown = ids.prefix(5).joined(separator: ", ") + (ids.count > 5 ? " and others" : "")
        let it = ids.count == 1 ? "it" : "them"
        return Obstacle(
            .notRestorable, "group_missing",
            "\(ids.count == 1 ? "A group" : "\(ids.count) groups") that it names can't be found: \(shown). Nothing of "
                + "it is written: without \(it) it would apply to others. Bring \(it) back, or restore it with its "
                + "assignments left as they are.")
    }

    static func referenceMissing(_ kind: PolicyKind, _ id: String) -> Obstacle {
        Obstacle(
            .notRestorable, kind == .scopeTag ? "scope_tag_missing" : "filter_missing",
            "It refers to the \(kind.word) \(id), which is not in the tenant. Restore that with it, or before."
        )
    }

    /// What the provider said about this one item.
    init?(_ failure: GraphFailure) {
        switch failure.failure {
        case .invalidRequest, .conflict, .permissionMissing, .licenceMissing, .notFound, .answerTooLarge:
            self.init(
                .notRestorable, failure.failure.rawValue,
                Presentation.sentence(.failure(failure.failure))
                    + (failure.requestID.map { " (request-id \($0))" } ?? ""))
        default: return nil
        }
    }
}
