/// The compliance states of a managed device. Intune has seven; the eighth stands for a member that Microsoft
/// adds after the client was written.
enum ComplianceState: Int, Sendable, CaseIterable {
    case unknown, compliant, noncompliant, conflict, error, inGracePeriod, configManager
    case pendingEvaluation

    /// Graph's spelling.
    var text: StaticString {
        switch self {
        case .unknown: "unknown"
        case .compliant: "compliant"
        case .noncompliant: "noncompliant"
        case .conflict: "conflict"
        case .error: "error"
        case .inGracePeriod: "inGracePeriod"
        case .configManager: "configManager"
        case .pendingEvaluation: "pendingEvaluation"
        }
    }
}
