import Operations
import Store

/// What a caller may do at one place, from one reading. The only place where the API decides about access: what the
/// caller holds, and of that what the token is for.
struct Access: Sendable {
    /// The workspace that the place belongs to.
    let workspace: WorkspaceID
    /// The tenant that the place belongs to; nil for a whole workspace.
    let tenant: TenantID?
    /// The stored name of the operation, when the place is a run.
    let operation: String?
    private let role: Role?
    private let scope: TokenScope

    /// Reads what the caller holds at `place`. Throws ``Problem/notFound`` when there is no such place, or the
    /// caller holds nothing there, or the token is for other tenants. The caller's own workspace is no secret: there
    /// the capability is missing.
    init(of caller: Principal, at place: AccessReading.Place, _ reading: AccessReading) async throws {
        guard let standing = try await reading.standing(of: caller.userID, at: place) else {
            throw Problem.notFound
        }
        role = caller.scope.reaches(standing.tenantID) ? standing.role : nil
        guard role != nil || place == .workspace(caller.workspaceID) else { throw Problem.notFound }
        workspace = standing.workspaceID
        tenant = standing.tenantID
        operation = standing.operation
        scope = caller.scope
    }

    /// Throws when the caller lacks the capability at the place, or the token is not for it.
    func require(_ capability: Capability) throws(Problem) {
        guard role?.holds(capability) == true else { throw .forbidden(capability) }
        try requireOfToken(capability)
    }

    /// Throws when the token is not for the capability, whatever the caller holds: for what callers may do to what is
    /// their own.
    func requireOfToken(_ capability: Capability) throws(Problem) {
        guard scope.includes(capability) else { throw .outsideToken(capability) }
    }

    /// Whether the caller has the capability at the place, and the token is for it.
    func holds(_ capability: Capability) -> Bool {
        role?.holds(capability) == true && scope.includes(capability)
    }

    /// The tenants on which the caller may, with this token.
    static func tenants(
        of caller: Principal, holding capability: Capability, _ reading: AccessReading
    ) async throws -> [TenantID] {
        guard caller.scope.includes(capability) else { return [] }
        return try await reading.tenants(
            of: caller.userID, in: caller.workspaceID, holding: capability
        ).filter(caller.scope.reaches)
    }
}
