import FoundationEssentials
import JSON
import Operations
import Store

/// A change of authority as a form asks for it.
enum AuthorityRequest: Sendable, Hashable {
    /// A person's role on a tenant, or (nil) on the whole workspace.
    case grant(UserID, TenantID?, Role)
    case changeRole(UserID, TenantID?, Role)
    case revoke(UserID, TenantID?)
    case disable(UserID), enable(UserID)
    case operability(TenantID, AuthorityFacts.Operability)
    case writeGate(TenantID, isOpen: Bool)
    case connectionEnabled(ConnectionID, Bool)
    case freeze(FrozenPlace), unfreeze(FrozenPlace)

    /// What can be frozen from here.
    enum FrozenPlace: Sendable, Hashable {
        case workspace(WorkspaceID), tenant(TenantID), connection(ConnectionID)
    }

    /// Reads the form. Throws ``Fault`` for one that no page made.
    init(_ form: FormBody, in workspace: WorkspaceID) throws {
        func id<Subject>(_ name: String) throws -> Identifier<Subject> {
            guard let id = form[name].flatMap({ Identifier<Subject>($0) }) else { throw Self.unreadable }
            return id
        }
        func choice<Choice: RawRepresentable<String>>(_ name: String) throws -> Choice {
            guard let choice = form[name].flatMap(Choice.init) else { throw Self.unreadable }
            return choice
        }
        // Nothing stands for the whole workspace.
        let tenant: TenantID? = form["tenant"] == nil ? nil : try id("tenant")
        let isOn = form["on"] == "yes"
        switch form["change"] {
        case "grant": self = .grant(try id("user"), tenant, try choice("role"))
        case "role": self = .changeRole(try id("user"), tenant, try choice("role"))
        case "revoke": self = .revoke(try id("user"), tenant)
        case "disable": self = .disable(try id("user"))
        case "enable": self = .enable(try id("user"))
        case "operability": self = .operability(try id("tenant"), try choice("operability"))
        case "gate": self = .writeGate(try id("tenant"), isOpen: isOn)
        case "connection": self = .connectionEnabled(try id("connection"), isOn)
        case "freeze", "unfreeze":
            let place: FrozenPlace =
                if form["connection"] != nil {
                    .connection(try id("connection"))
                } else if let tenant { .tenant(tenant) } else { .workspace(workspace) }
            self = form["change"] == "freeze" ? .freeze(place) : .unfreeze(place)
        default: throw Self.unreadable
        }
    }

    private static let unreadable = Fault.invalid(
        "The form says something that no page here offers. Nothing was changed. Go back, reload the page, and send it again."
    )

    // MARK: what it takes

    /// The place that the visitor must manage; nil for the visitor's whole workspace.
    var place: AccessReading.Place? {
        switch self {
        case .grant(_, let tenant, _), .changeRole(_, let tenant, _), .revoke(_, let tenant):
            tenant.map(AccessReading.Place.tenant)
        case .disable, .enable: nil
        case .operability(let tenant, _), .writeGate(let tenant, _): .tenant(tenant)
        case .connectionEnabled(let connection, _): .connection(connection)
        case .freeze(let place), .unfreeze(let place):
            switch place {
            case .workspace: nil
            case .tenant(let tenant): .tenant(tenant)
            case .connection(let connection): .connection(connection)
            }
        }
    }

    var capability: Capability {
        switch self {
        case .connectionEnabled: .providerManage
        default: .accessManage
        }
    }

    /// The person that it is about.
    var user: UserID? {
        switch self {
        case .grant(let user, _, _), .changeRole(let user, _, _), .revoke(let user, _), .disable(let user),
            .enable(let user):
            user
        case .operability, .writeGate, .connectionEnabled, .freeze, .unfreeze: nil
        }
    }

    /// Whether it takes something away, or may.
    var takes: Bool {
        switch self {
        case .changeRole, .revoke, .disable, .freeze: true
        case .operability(_, let operability): operability != .operable
        case .writeGate(_, let isOpen): !isOpen
        case .connectionEnabled(_, let isEnabled): !isEnabled
        case .grant, .enable, .unfreeze: false
        }
    }

    // MARK: as the API takes it

    struct APICall: Sendable, Hashable {
        let method: String
        let path: String
        let members: JSONObject

        /// The body; `isPreview`: nothing is changed, and the answer says what would be stopped.
        func body(isPreview: Bool) -> JSON? {
            var members = members
            if isPreview { members["what_if"] = true }
            return members.isEmpty ? nil : .object(members)
        }
    }

    var apiCall: APICall {
        func call(_ method: String, _ path: String, _ members: JSONObject = [:]) -> APICall {
            APICall(method: method, path: "/v1/\(path)", members: members)
        }
        func member(_ user: UserID, _ tenant: TenantID?, _ role: Role? = nil) -> JSONObject {
            var members: JSONObject = [
                "user_id": .string("\(user)"), "tenant_id": .optional(tenant?.description),
            ]
            if let role { members["role"] = .string(role.rawValue) }
            return members
        }
        return switch self {
        case .grant(let user, let tenant, let role):
            call("POST", "access/grants", member(user, tenant, role))
        case .changeRole(let user, let tenant, let role):
            call("POST", "access/roles", member(user, tenant, role))
        case .revoke(let user, let tenant): call("POST", "access/revocations", member(user, tenant))
        case .disable(let user): call("POST", "users/\(user)/disable")
        case .enable(let user): call("POST", "users/\(user)/enable")
        case .operability(let tenant, let operability):
            call("PUT", "tenants/\(tenant)/operability", ["operability": .string(operability.rawValue)])
        case .writeGate(let tenant, let isOpen):
            call("PUT", "tenants/\(tenant)/write-gate", ["open": .bool(isOpen)])
        case .connectionEnabled(let connection, let isEnabled):
            call("PUT", "provider-connections/\(connection)/enabled", ["enabled": .bool(isEnabled)])
        case .freeze(let place): call("POST", "freezes", place.members)
        case .unfreeze(let place): call("POST", "freezes/lift", place.members)
        }
    }
}

extension AuthorityRequest.FrozenPlace {
    fileprivate var members: JSONObject {
        switch self {
        case .workspace(let id): ["scope": "workspace", "id": .string("\(id)")]
        case .tenant(let id): ["scope": "tenant", "id": .string("\(id)")]
        case .connection(let id): ["scope": "connection", "id": .string("\(id)")]
        }
    }
}
