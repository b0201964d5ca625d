internal import FoundationEssentials
package import JSON

// The gate's inputs as JSON and back, so that a stored decision can be replayed from its own record.

extension QueuedExecution {
    /// The run's part of a decision record.
    package var json: JSON {
        [
            "run_id": .string("\(runID)"),
            "operation": .string(operation),
            "workspace_id": .string("\(workspaceID)"),
            "tenant_id": .string("\(tenantID)"),
            "provider_connection_id": .string("\(connectionID)"),
            "initiator_id": .optional(initiatorID?.description),
            "expires_at": Timestamp.json(expiresAt),
            "context": context?.json(
                module: OperationCatalogue.definition(named: operation)?.family.rawValue ?? "")
                ?? .null,
        ]
    }

    /// Reads the run's part of a decision record; nil when it is not one.
    package init?(json: JSON) {
        guard let runID = json["run_id"]?.string.flatMap(RunID.init),
            let operation = json["operation"]?.string,
            let workspaceID = json["workspace_id"]?.string.flatMap(WorkspaceID.init),
            let tenantID = json["tenant_id"]?.string.flatMap(TenantID.init),
            let connectionID = json["provider_connection_id"]?.string.flatMap(ConnectionID.init),
            let expiresAt = json["expires_at"].flatMap(Timestamp.init(json:))
        else { return nil }
        self.init(
            runID: runID, operation: operation, workspaceID: workspaceID, tenantID: tenantID,
            connectionID: connectionID, initiatorID: json["initiator_id"]?.string.flatMap(UserID.init),
            expiresAt: expiresAt.date, context: json["context"].flatMap(QueuedExecutionContext.init(json:)))
    }
}

extension AuthorityFacts {
    /// The facts' part of a decision record.
    package var json: JSON {
        [
            "read_at": Timestamp.json(readAt),
            "initiator": initiator.json { ["disabled": .bool($0.isDisabled)] },
            "entitlement": entitlement.json {
                ["grant_id": .string("\($0.grantID)"), "role": .string($0.role.rawValue)]
            },
            "tenant": tenant.json { $0.json },
            "connection": connection.json {
                [
                    "tenant_id": .string("\($0.tenantID)"),
                    "enabled": .bool($0.isEnabled),
                    "entra_tenant_id": .string($0.entraTenantID),
                    "credential": .bool($0.hasCredential),
                ]
            },
        ]
    }

    /// Reads the facts' part of a decision record; nil when it is not one.
    package init?(json: JSON) {
        guard let readAt = json["read_at"].flatMap(Timestamp.init(json:)),
            let initiator = Fact(json: json["initiator"], { $0["disabled"]?.bool.map(Initiator.init) }),
            let entitlement = Fact(json: json["entitlement"], Entitlement.init(json:)),
            let tenant = Fact(json: json["tenant"], Tenant.init(json:)),
            let connection = Fact(json: json["connection"], Connection.init(json:))
        else { return nil }
        self.init(
            initiator: initiator, entitlement: entitlement, tenant: tenant, connection: connection,
            readAt: readAt.date)
    }
}

extension Fact {
    fileprivate func json(_ describe: (Value) -> JSON) -> JSON {
        switch self {
        case .found(let value): describe(value)
        case .missing: "missing"
        case .unreadable: "unreadable"
        }
    }

    fileprivate init?(json: JSON?, _ read: (JSON) -> Value?) {
        switch json {
        case .string("missing"): self = .missing
        case .string("unreadable"): self = .unreadable
        case let json?:
            guard let value = read(json) else { return nil }
            self = .found(value)
        case nil: return nil
        }
    }
}

extension AuthorityFacts.Entitlement {
    fileprivate init?(json: JSON) {
        guard let grantID = json["grant_id"]?.string.flatMap(GrantID.init),
            let role = json["role"]?.string.flatMap(Role.init)
        else { return nil }
        self.init(grantID: grantID, role: role)
    }
}

extension AuthorityFacts.Connection {
    fileprivate init?(json: JSON) {
        guard let tenantID = json["tenant_id"]?.string.flatMap(TenantID.init),
            let isEnabled = json["enabled"]?.bool,
            let entraTenantID = json["entra_tenant_id"]?.string,
            let hasCredential = json["credential"]?.bool
        else { return nil }
        self.init(
            tenantID: tenantID, isEnabled: isEnabled, entraTenantID: entraTenantID,
            hasCredential: hasCredential)
    }
}

extension AuthorityFacts.Tenant {
    fileprivate var json: JSON {
        [
            "workspace_id": .string("\(workspaceID)"),
            "operability": .string(operability.rawValue),
            "authority_epoch": .int(authorityEpoch),
            "freeze_generation": .int(freezeGeneration),
            "write_gate": [
                "open": .bool(writeGate.isOpen),
                "checked_at": writeGate.checkedAt.map(Timestamp.json) ?? .null,
                "healthy": .bool(writeGate.isHealthy),
                "limit_seconds": .int(writeGate.limitSeconds),
            ],
        ]
    }

    fileprivate init?(json: JSON) {
        guard let workspaceID = json["workspace_id"]?.string.flatMap(WorkspaceID.init),
            let operability = json["operability"]?.string.flatMap(AuthorityFacts.Operability.init),
            let epoch = json["authority_epoch"]?.integer,
            let generation = json["freeze_generation"]?.integer,
            let isOpen = json["write_gate"]?["open"]?.bool,
            let isHealthy = json["write_gate"]?["healthy"]?.bool,
            let limit = json["write_gate"]?["limit_seconds"]?.integer
        else { return nil }
        let checkedAt = json["write_gate"]?["checked_at"].flatMap(Timestamp.init(json:))
        self.init(
            workspaceID: workspaceID, operability: operability, authorityEpoch: epoch,
            freezeGeneration: generation,
            writeGate: .init(
                isOpen: isOpen, checkedAt: checkedAt?.date, isHealthy: isHealthy, limitSeconds: limit))
    }
}
