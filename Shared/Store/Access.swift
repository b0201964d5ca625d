package import Operations

/// Why a caller is turned away.
package enum AccessRefusal: Error, Sendable, Hashable {
    /// There is no such place, or the caller may not know of it: the two are told alike.
    case notFound
    /// The caller's role there does not include it.
    case lacks(Capability)
    /// The caller may, but not with this token.
    case outsideToken(Capability)
}

/// What a caller may do at one place, from one reading. The only place where API and console decide about access: what
/// the caller holds, and of that what the token is for.
package struct Access: Sendable {
    /// The workspace that the place belongs to.
    package let workspace: WorkspaceID
    /// The tenant that the place belongs to; nil for a whole workspace.
    package let tenant: TenantID?
    /// The stored name of the operation, when the place is a run, a schedule or a dead letter.
    package let operation: String?
    private let role: Role?
    private let scope: TokenScope

    /// Reads what the caller holds at `place`. Throws ``AccessRefusal/notFound`` when there is no such place, or the
    /// caller holds nothing there, or the token is for other tenants. The caller's own workspace is no secret: there
    /// the capability is missing.
    package init(of caller: Principal, at place: AccessReading.Place, _ reading: AccessReading) async throws {
        guard let standing = try await reading.standing(of: caller.userID, at: place) else {
            throw AccessRefusal.notFound
        }
        role = caller.scope.reaches(standing.tenantID) ? standing.role : nil
        guard role != nil || place == .workspace(caller.workspaceID) else { throw AccessRefusal.notFound }
        workspace = standing.workspaceID
        tenant = standing.tenantID
        operation = standing.operation
        scope = caller.scope
    }

    /// Throws when the caller lacks the capability at the place, or the token is not for it.
    package func require(_ capability: Capability) throws(AccessRefusal) {
        guard role?.holds(capability) == true else { throw .lacks(capability) }
        try requireOfToken(capability)
    }

    /// Throws when the token is not for the capability, whatever the caller holds: for what callers may do to what is
    /// their own.
    package func requireOfToken(_ capability: Capability) throws(AccessRefusal) {
        guard scope.includes(capability) else { throw .outsideToken(capability) }
    }

    /// Whether the caller has the capability at the place, and the token is for it.
    package func holds(_ capability: Capability) -> Bool {
        role?.holds(capability) == true && scope.includes(capability)
    }

    /// Throws unless the token is for the capability everywhere: for what is the caller's own and tells of every tenant.
    package static func requireOwn(_ capability: Capability, of caller: Principal) throws(AccessRefusal) {
        guard caller.scope.includes(capability), caller.scope.tenants == nil else {
            throw .outsideToken(capability)
        }
    }

    /// The tenants on which the caller may, with this token.
    package static func tenants(
        of caller: Principal, holding capability: Capability, _ reading: AccessReading
    ) async throws -> [TenantID] {
        guard caller.scope.includes(capability) else { return [] }
        return try await reading.tenants(
            of: caller.userID, in: caller.workspaceID, holding: capability
        ).filter(caller.scope.reaches)
    }

    /// Which records of the audit the caller may see: of one tenant, or (nil) of everything. Whoever may see the audit of
    /// the whole workspace sees what concerns no tenant, too.
    package static func audit(
        of caller: Principal, tenant: TenantID?, _ reading: AccessReading
    ) async throws -> AuditFilter.Scope {
        if let tenant {
            try await Access(of: caller, at: .tenant(tenant), reading).require(.auditView)
            return .tenants([tenant])
        }
        let everywhere = try await Access(of: caller, at: .workspace(caller.workspaceID), reading)
        if everywhere.holds(.auditView) { return .workspace(caller.workspaceID) }
        let tenants = try await tenants(of: caller, holding: .auditView, reading)
        if tenants.isEmpty { try everywhere.require(.auditView) }
        return .tenants(tenants)
    }
}
