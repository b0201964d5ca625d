import Operations

/// Where people manage what operations work with: access, tenants, connections, the audit, and their own tokens. A form
/// is sent to the page that shows it.
enum ManagementRoute: Sendable, Hashable {
    case access, person(UserID), tookEffect
    case tenant(TenantID)
    case newConnection, editConnection(ConnectionID), credential(ConnectionID)
    case audit, auditFile
    case changeAccess
    case createConnection, saveConnection(ConnectionID), setCredential(ConnectionID), makeDefault(
        ConnectionID)
    case verifyAudit
    case changeTokens

    /// The page with these parts of its path; nil when there is none.
    init?(page parts: [String]) {
        guard parts.first == "admin" else { return nil }
        let found: ManagementRoute? =
            switch parts.count {
            case 2: Self.collection(parts[1])
            case 3: Self.entry(of: parts[1], parts[2])
            case 4 where parts[1] == "provider-connections":
                Self.part(of: parts[2], parts[3], edit: Self.editConnection, credential: Self.credential)
            default: nil
            }
        guard let found else { return nil }
        self = found
    }

    /// The action with these parts of its path; nil when there is none.
    init?(action parts: [String]) {
        guard parts.first == "admin" else { return nil }
        switch parts.dropFirst() {
        case ["access"]: self = .changeAccess
        case ["audit"]: self = .verifyAudit
        case ["me"]: self = .changeTokens
        case ["provider-connections", "new"]: self = .createConnection
        case let rest where rest.count == 3 && rest.first == "provider-connections":
            let found: ManagementRoute? =
                parts[3] == "default"
                ? ConnectionID(parts[2]).map(Self.makeDefault)
                : Self.part(of: parts[2], parts[3], edit: Self.saveConnection, credential: Self.setCredential)
            guard let found else { return nil }
            self = found
        default: return nil
        }
    }

    private static func collection(_ name: String) -> ManagementRoute? {
        switch name {
        case "access": .access
        case "audit": .audit
        case "audit.json": .auditFile
        default: nil
        }
    }

    private static func entry(of collection: String, _ name: String) -> ManagementRoute? {
        switch (collection, name) {
        case ("access", "took-effect"): .tookEffect
        case ("access", _): UserID(name).map(Self.person)
        case ("tenants", _): TenantID(name).map(Self.tenant)
        case ("provider-connections", "new"): .newConnection
        default: nil
        }
    }

    private static func part(
        of id: String, _ name: String, edit: (ConnectionID) -> ManagementRoute,
        credential: (ConnectionID) -> ManagementRoute
    ) -> ManagementRoute? {
        switch name {
        case "edit": ConnectionID(id).map(edit)
        case "credential": ConnectionID(id).map(credential)
        default: nil
        }
    }
}
