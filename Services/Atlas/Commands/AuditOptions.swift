import ArgumentParser
import FoundationEssentials
import Operations

/// Which records of the audit are meant.
struct AuditOptions: ParsableArguments {
    @Option(help: "Only about this tenant: a unique name, or an id.")
    var tenant: String?

    @Option(help: "Only this action, for example access.revoked.")
    var action: String?

    @Option(help: "Only what this person did, by id.")
    var actor: IDArgument<Subject.User>?

    @Option(help: "Only about this run.")
    var run: IDArgument<Subject.Run>?

    @Option(help: "Only what is not older than this, for example 30m, 24h, 7d.")
    var since: TimeSpan?

    func validate() throws {
        guard action.map({ AuditAction(rawValue: $0) != nil }) ?? true else {
            let words = AuditAction.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--action must be one of \(words).")
        }
    }

    /// The query of the API that asks for them.
    func query(_ api: APIClient) async throws -> [(String, String?)] {
        var place: TenantID?
        if let tenant { place = try await api.tenant(tenant).id }
        let begin = since.map { Timestamp(Date().addingTimeInterval(-Double($0.seconds))).description }
        return [
            ("tenant_id", place?.description), ("action", action), ("actor_id", actor?.id.description),
            ("run_id", run?.id.description), ("since", begin),
        ]
    }
}
