package import FoundationEssentials

/// One fact as it was read: found, known not to exist, or not readable. The last is never taken for a yes.
package enum Fact<Value: Sendable & Hashable>: Sendable, Hashable {
    case found(Value)
    case missing
    case unreadable
}

/// Everything about the present that the gate decides on, read in the transaction that acts on the decision.
package struct AuthorityFacts: Sendable, Hashable {
    /// The person or system account that started the run.
    package struct Initiator: Sendable, Hashable {
        package var isDisabled: Bool
        package init(isDisabled: Bool) { self.isDisabled = isDisabled }
    }

    /// What the initiator holds on the tenant now.
    package struct Entitlement: Sendable, Hashable {
        /// The grant that holds now; another one than the run's when access was given anew.
        package var grantID: GrantID
        /// Its role, which may have been raised or lowered since.
        package var role: Role
        package init(grantID: GrantID, role: Role) {
            self.grantID = grantID
            self.role = role
        }
    }

    /// Whether a tenant may be worked on.
    package enum Operability: String, Sendable, CaseIterable {
        case operable, onboarding, suspended, archived
    }

    /// The tenant's switch for changes, and the proof behind it.
    package struct WriteGate: Sendable, Hashable {
        /// Opened by a person.
        package var isOpen: Bool
        /// When a connection check last looked at the permissions; nil when none ever did.
        package var checkedAt: Date?
        /// Whether that check found what changes need.
        package var isHealthy: Bool
        /// How old the check may be, in seconds.
        package var limitSeconds: Int
        package init(isOpen: Bool, checkedAt: Date?, isHealthy: Bool, limitSeconds: Int) {
            self.isOpen = isOpen
            self.checkedAt = checkedAt
            self.isHealthy = isHealthy
            self.limitSeconds = limitSeconds
        }
    }

    /// The customer's tenant.
    package struct Tenant: Sendable, Hashable {
        package var workspaceID: WorkspaceID
        package var operability: Operability
        /// Raised by every change that takes authority away.
        package var authorityEpoch: Int
        /// The sum of the freeze generations of connection, tenant, workspace and everything.
        package var freezeGeneration: Int
        package var writeGate: WriteGate
        package init(
            workspaceID: WorkspaceID, operability: Operability, authorityEpoch: Int, freezeGeneration: Int,
            writeGate: WriteGate
        ) {
            self.workspaceID = workspaceID
            self.operability = operability
            self.authorityEpoch = authorityEpoch
            self.freezeGeneration = freezeGeneration
            self.writeGate = writeGate
        }
    }

    /// The application in the customer's directory.
    package struct Connection: Sendable, Hashable {
        package var tenantID: TenantID
        package var isEnabled: Bool
        /// The directory that it points to now.
        package var entraTenantID: String
        package var hasCredential: Bool
        package init(tenantID: TenantID, isEnabled: Bool, entraTenantID: String, hasCredential: Bool) {
            self.tenantID = tenantID
            self.isEnabled = isEnabled
            self.entraTenantID = entraTenantID
            self.hasCredential = hasCredential
        }
    }

    package var initiator: Fact<Initiator>
    package var entitlement: Fact<Entitlement>
    package var tenant: Fact<Tenant>
    package var connection: Fact<Connection>
    /// The database's clock when the facts were read.
    package var readAt: Date

    package init(
        initiator: Fact<Initiator>, entitlement: Fact<Entitlement>, tenant: Fact<Tenant>,
        connection: Fact<Connection>, readAt: Date
    ) {
        self.initiator = initiator
        self.entitlement = entitlement
        self.tenant = tenant
        self.connection = connection
        self.readAt = readAt
    }
}
