import Foundation
import JSON
import Operations

/// One row of the contract: an operation, a way of delivery and a condition, and what is to come of it.
struct ExecutionCase: Sendable, CustomStringConvertible {
    enum Delivery: String, CaseIterable, Sendable {
        case first, redelivery
        case delayedRetry = "delayed_retry"
        case manualRetry = "manual_retry"
    }

    /// What everybody can see afterwards.
    struct Expectation: Sendable, Hashable {
        var state: String
        var outcome: String?
        var decision: String
        var audit: [String]
        /// `acknowledged` or `dead_letter`.
        var message: String
        /// `initiator` or `nobody`.
        var told: String
        /// Whether the provider is called.
        var calls: Bool
    }

    let operation: OperationDefinition
    let delivery: Delivery
    let condition: String
    /// Why it is refused; nil when it executes.
    let reason: DenialReason?
    let isSystem: Bool
    let expectation: Expectation

    var description: String { "\(operation.type.rawValue) / \(delivery.rawValue) / \(condition)" }
}

/// The table of cases, as the contract's file has it.
struct ExecutionCases {
    /// What the file says and the code denies.
    struct Contradiction: Error, CustomStringConvertible {
        let description: String
    }

    /// The reasons that the conditions give, with class and whether they pass by themselves, as the file says it.
    let reasons: [(reason: String, denialClass: String, isRetryable: Bool)]
    let cases: [ExecutionCase]

    /// Reads the file, for the operations of `families`.
    init(families: Set<OperationFamily>) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let file = "specs/149-queued-execution-reauthorization/contracts/execution-cases.json"
        let table = try JSON(parsing: [UInt8](Data(contentsOf: root.appending(path: file))))
        let conditions = table["conditions"]?.array ?? []
        reasons = conditions.compactMap { condition in
            guard let reason = condition["reason"]?.string, let word = condition["class"]?.string,
                let isRetryable = condition["retryable"]?.bool
            else { return nil }
            return (reason, word, isRetryable)
        }
        var cases: [ExecutionCase] = []
        for operation in OperationCatalogue.all where families.contains(operation.family) {
            for condition in conditions {
                for delivery in ExecutionCase.Delivery.allCases {
                    if let row = try Self.row(operation, delivery, condition, table) { cases.append(row) }
                }
            }
        }
        self.cases = cases
    }

    /// The case, or nil where the condition does not concern the operation or the way of delivery.
    private static func row(
        _ operation: OperationDefinition, _ delivery: ExecutionCase.Delivery, _ condition: JSON, _ table: JSON
    ) throws -> ExecutionCase? {
        guard let name = condition["condition"]?.string, let word = condition["expect"]?.string,
            let shared = table["expectations"]?[word],
            var expectation = ExecutionCase.Expectation(shared, of: operation.family)
        else { throw Contradiction(description: "unreadable: \(condition.text)") }
        if let told = condition["told"]?.string { expectation.told = told }
        let isSystem = condition["authority"]?.string == "system"
        if isSystem, !operation.systemMayRun { return nil }
        if let effect = condition["effect"]?.string, effect != operation.effect.rawValue { return nil }
        if let some = condition["deliveries"]?.array, !some.contains(.string(delivery.rawValue)) {
            return nil
        }
        let reason = condition["reason"]?.string
        let known = reason.flatMap(DenialReason.init)
        guard (reason == nil) == (known == nil) else {
            throw Contradiction(description: "no reason of the gate: \(reason ?? "")")
        }
        return ExecutionCase(
            operation: operation, delivery: delivery, condition: name, reason: known, isSystem: isSystem,
            expectation: expectation)
    }
}

extension ExecutionCase.Expectation {
    /// A family's own audit stands before what is common.
    fileprivate init?(_ json: JSON, of family: OperationFamily) {
        let audit = json["audit_of"]?[family.rawValue] ?? json["audit"]
        guard let state = json["state"]?.string, let decision = json["decision"]?.string,
            let audit = audit?.array?.compactMap(\.string), let message = json["message"]?.string,
            let told = json["told"]?.string, let calls = json["calls"]?.bool
        else { return nil }
        self.init(
            state: state, outcome: json["outcome"]?.string, decision: decision, audit: audit,
            message: message,
            told: told, calls: calls)
    }
}
