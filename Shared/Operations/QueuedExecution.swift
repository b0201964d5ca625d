package import FoundationEssentials
package import JSON

/// What a start wrote down about the authority and the scope of a run, in the run's JSON context.
///
/// The gate compares it with what the database says at execution; it never takes it as a proof.
package struct QueuedExecutionContext: Sendable, Hashable {
    /// Under whose authority the run was queued.
    package var authorityMode: AuthorityMode
    /// The door the start came through.
    package var origin: StartOrigin
    /// The capability that the catalogue demanded at the start.
    package var requiredCapability: Capability
    /// The grant that the initiator acted under; nil for system authority.
    package var grantID: GrantID?
    /// The sum of the freeze generations over the run's scope: a freeze raises it for good.
    package var freezeGeneration: Int
    /// The workspace, tenant and connection that the run is for.
    package var workspaceID: WorkspaceID
    package var tenantID: TenantID
    package var connectionID: ConnectionID
    /// The directory the connection pointed to, and its display name, for people.
    package var entraTenantID: String
    package var entraTenantName: String

    package init(
        authorityMode: AuthorityMode, origin: StartOrigin, requiredCapability: Capability, grantID: GrantID?,
        freezeGeneration: Int, workspaceID: WorkspaceID, tenantID: TenantID, connectionID: ConnectionID,
        entraTenantID: String, entraTenantName: String
    ) {
        self.authorityMode = authorityMode
        self.origin = origin
        self.requiredCapability = requiredCapability
        self.grantID = grantID
        self.freezeGeneration = freezeGeneration
        self.workspaceID = workspaceID
        self.tenantID = tenantID
        self.connectionID = connectionID
        self.entraTenantID = entraTenantID
        self.entraTenantName = entraTenantName
    }

    /// The context as stored, with the keys that every provider run has.
    package func json(module: String) -> JSON {
        [
            "provider": "microsoft_graph",
            "module": .string(module),
            "provider_connection_id": .string("\(connectionID)"),
            "workspace_id": .string("\(workspaceID)"),
            "tenant_id": .string("\(tenantID)"),
            "target_scope": [
                "entra_tenant_id": .string(entraTenantID),
                "entra_tenant_name": .string(entraTenantName),
            ],
            "execution_authority_mode": .string(authorityMode.rawValue),
            "origin": .string(origin.rawValue),
            "required_capability": .string(requiredCapability.rawValue),
            "grant_id": .optional(grantID?.description),
            "freeze_generation": .int(freezeGeneration),
        ]
    }

    /// Reads a stored context; nil when a key is missing or unreadable (the gate then denies).
    package init?(json: JSON) {
        guard let mode = json["execution_authority_mode"]?.string.flatMap(AuthorityMode.init),
            let origin = json["origin"]?.string.flatMap(StartOrigin.init),
            let capability = json["required_capability"]?.string.flatMap(Capability.init),
            let generation = json["freeze_generation"]?.integer,
            let workspaceID = json["workspace_id"]?.string.flatMap(WorkspaceID.init),
            let tenantID = json["tenant_id"]?.string.flatMap(TenantID.init),
            let connectionID = json["provider_connection_id"]?.string.flatMap(ConnectionID.init),
            let entraTenantID = json["target_scope"]?["entra_tenant_id"]?.string,
            let entraTenantName = json["target_scope"]?["entra_tenant_name"]?.string
        else { return nil }
        self.init(
            authorityMode: mode, origin: origin, requiredCapability: capability,
            grantID: json["grant_id"]?.string.flatMap(GrantID.init), freezeGeneration: generation,
            workspaceID: workspaceID, tenantID: tenantID, connectionID: connectionID,
            entraTenantID: entraTenantID, entraTenantName: entraTenantName)
    }
}

/// A run as the gate sees it: the columns of its row, and the context that its start wrote.
package struct QueuedExecution: Sendable, Hashable {
    /// The run.
    package var runID: RunID
    /// The operation's stored name; it may be one that this version does not know.
    package var operation: String
    package var workspaceID: WorkspaceID
    package var tenantID: TenantID
    package var connectionID: ConnectionID
    /// Who started it; nil for a run of the system.
    package var initiatorID: UserID?
    /// When waiting ends (`run_expired`), by the database's clock.
    package var expiresAt: Date
    /// Nil when the stored context could not be read.
    package var context: QueuedExecutionContext?
    /// What the start asked for beyond the operation's name, as ``RunParameters`` accepted it. Read when an attempt
    /// begins; it is no part of a decision.
    package var parameters: JSON?

    package init(
        runID: RunID, operation: String, workspaceID: WorkspaceID, tenantID: TenantID,
        connectionID: ConnectionID, initiatorID: UserID?, expiresAt: Date, context: QueuedExecutionContext?,
        parameters: JSON? = nil
    ) {
        self.runID = runID
        self.operation = operation
        self.workspaceID = workspaceID
        self.tenantID = tenantID
        self.connectionID = connectionID
        self.initiatorID = initiatorID
        self.expiresAt = expiresAt
        self.context = context
        self.parameters = parameters
    }
}
