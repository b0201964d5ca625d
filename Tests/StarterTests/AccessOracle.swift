import Operations

/// Who may do what, written from the rules alone: nothing here asks the code that is tested.
///
/// What is outside of what a caller sees does not exist (404). What is inside and not allowed is refused (403): by the
/// role, or by the token, which is for no more than it says and never for more than its owner may.
enum AccessOracle {
    /// What a caller holds, and where.
    struct Caller: Sendable, CustomStringConvertible {
        /// Nil for nobody's role: then the relation says nothing.
        let role: Role?
        let relation: Relation

        var description: String { role.map { "\($0) \(relation.rawValue)" } ?? "somebody without a role" }

        /// Every role in every relation, and somebody without any.
        static let all =
            Role.allCases.flatMap { role in
                Relation.allCases.map { Caller(role: role, relation: $0) }
            } + [Caller(role: nil, relation: .here)]
    }

    /// How a grant stands to the tenant that a request is about.
    enum Relation: String, Sendable, CaseIterable {
        case everywhere = "of the whole workspace"
        case here = "of the tenant"
        case elsewhere = "of another tenant"
        case foreign = "of another workspace"
        case revoked = "whose grant was revoked"
    }

    /// What a token is for.
    enum Width: Sendable, CaseIterable {
        case full
        /// Only the capability that the request needs.
        case needed
        /// Every capability but that one.
        case allButNeeded
        /// The tenant that the request is about, or the other one of the workspace.
        case here, elsewhere
    }

    /// What a request needs.
    enum Need: Sendable {
        /// A token. What is answered holds only what the caller may see.
        case token
        /// A capability on the tenant that it is about.
        case here(Capability)
        /// A capability on the whole workspace that a thing belongs to.
        case everywhere(Capability)
        /// A capability on the caller's own workspace, which is no secret to the caller. With `about`, the request
        /// names somebody of this workspace, whom those of another one don't find.
        case ownWorkspace(Capability, about: Bool = false)
        /// The same, of this workspace by its id.
        case thisWorkspace(Capability)
        /// The same, but what is refused is said not to exist.
        case hidden(Capability, about: Bool)
        /// A capability on the caller's own workspace, or on any tenant.
        case anywhere(Capability)
        /// A token that is for a capability, everywhere: to change what is one's own.
        case own(Capability)
        /// A token that is not narrower than its owner, and what else.
        indirect case whole(Need)

        /// The capability that it turns on.
        var capability: Capability? {
            switch self {
            case .token: nil
            case .here(let one), .everywhere(let one), .ownWorkspace(let one, _), .thisWorkspace(let one),
                .hidden(let one, _), .anywhere(let one), .own(let one):
                one
            case .whole(let need): need.capability
            }
        }
    }

    static let capabilities: [Role: Set<Capability>] = {
        let everything: Set<Capability> = [
            .providerView, .providerManage, .providerRun, .backupRun, .restoreExecute, .policyBulk,
            .deviceBulk,
            .operationsView, .accessManage, .auditView, .notificationsManage,
        ]
        return [
            .owner: everything, .manager: everything,
            .operator: [.providerView, .providerRun, .backupRun, .operationsView],
            .readonly: [.providerView, .operationsView],
        ]
    }()

    /// Nil when the request is fulfilled, else the status of its refusal.
    static func refusal(of need: Need, to caller: Caller, with width: Width) -> Int? {
        let isForeign = caller.relation == .foreign
        switch need {
        case .token: return nil
        case .here(let capability):
            let holds = caller.relation == .everywhere || caller.relation == .here
            guard let role = caller.role, holds, width != .elsewhere else { return 404 }
            return may(role, capability, width) ? nil : 403
        case .everywhere(let capability):
            guard let role = caller.role, caller.relation == .everywhere, !width.isOfTenants else {
                return 404
            }
            return may(role, capability, width) ? nil : 403
        case .ownWorkspace(let capability, let isAbout):
            guard mayOnOwnWorkspace(caller, capability, width) else { return 403 }
            return isAbout && isForeign ? 404 : nil
        case .thisWorkspace(let capability):
            if isForeign { return 404 }
            return mayOnOwnWorkspace(caller, capability, width) ? nil : 403
        case .hidden(let capability, let isAbout):
            return mayOnOwnWorkspace(caller, capability, width) && !(isAbout && isForeign) ? nil : 404
        case .anywhere(let capability):
            guard let role = caller.role, may(role, capability, width) else { return 403 }
            switch (caller.relation, width) {
            case (.revoked, _), (.here, .elsewhere), (.elsewhere, .here), (.foreign, .here),
                (.foreign, .elsewhere):
                return 403
            default: return nil
            }
        case .own: return width == .allButNeeded || width.isOfTenants ? 403 : nil
        case .whole(let more): return width == .full ? refusal(of: more, to: caller, with: width) : 403
        }
    }

    private static func may(_ role: Role, _ capability: Capability, _ width: Width) -> Bool {
        width != .allButNeeded && capabilities[role]!.contains(capability)
    }

    private static func mayOnOwnWorkspace(_ caller: Caller, _ capability: Capability, _ width: Width) -> Bool
    {
        guard let role = caller.role, !width.isOfTenants else { return false }
        return (caller.relation == .everywhere || caller.relation == .foreign) && may(role, capability, width)
    }
}

extension AccessOracle.Width {
    /// Whether it is for single tenants, and so for nothing that belongs to a whole workspace.
    var isOfTenants: Bool { self == .here || self == .elsewhere }
}
