import Operations
import Store

/// What a caller may do at one place, from one reading. The only place where the API decides about access.
struct Access: Sendable {
    /// The workspace that the place belongs to.
    let workspace: WorkspaceID
    /// The stored name of the operation, when the place is a run.
    let operation: String?
    private let role: Role?

    /// Reads what the caller holds at `place`. Throws ``Problem/notFound`` when there is no such place, or the
    /// caller holds nothing there. The caller's own workspace is no secret: there the capability is missing.
    init(of caller: Principal, at place: AccessReading.Place, _ reading: AccessReading) async throws {
        guard let standing = try await reading.standing(of: caller.userID, at: place),
            standing.role != nil || place == .workspace(caller.workspaceID)
        else { throw Problem.notFound }
        workspace = standing.workspaceID
        operation = standing.operation
        role = standing.role
    }

    /// Whether the caller has the capability at the place.
    func holds(_ capability: Capability) -> Bool { role?.holds(capability) == true }

    /// Throws when the caller lacks the capability at the place.
    func require(_ capability: Capability) throws(Problem) {
        guard holds(capability) else { throw .forbidden(capability) }
    }
}
