package import FoundationEssentials
package import JSON

/// What somebody asked for.
package struct StartRequest: Sendable, Hashable {
    /// The operation's name as it was received: it may be none of ours.
    package var operation: String
    package var connectionID: ConnectionID
    /// What is asked for beyond the operation's name, as it was received.
    package var parameters: JSON?
    /// Who asks; nil for a schedule of the system.
    package var initiatorID: UserID?
    package var origin: StartOrigin
    /// The caller's own key: the same key gives the same run. A schedule's keys are its due moments.
    package var idempotencyKey: String?
    /// The schedule that asks, when it is one.
    package var scheduleID: ScheduleID?
    /// The run that is to be repeated.
    package var retryOf: RunID?
    /// How long the run may wait before it ends blocked, in seconds; nil takes the catalogue's limit,
    /// which is also the most.
    package var waitLimitSeconds: Int?
    package var traceparent: String?

    package init(
        operation: String, connectionID: ConnectionID, parameters: JSON? = nil, initiatorID: UserID?,
        origin: StartOrigin, idempotencyKey: String? = nil, scheduleID: ScheduleID? = nil,
        retryOf: RunID? = nil, waitLimitSeconds: Int? = nil, traceparent: String? = nil
    ) {
        self.operation = operation
        self.connectionID = connectionID
        self.parameters = parameters
        self.initiatorID = initiatorID
        self.origin = origin
        self.idempotencyKey = idempotencyKey
        self.scheduleID = scheduleID
        self.retryOf = retryOf
        self.waitLimitSeconds = waitLimitSeconds
        self.traceparent = traceparent
    }

    /// Whose key it is: the schedule's, the person's, or nobody's, which is the system itself.
    package var callerID: UUID {
        scheduleID?.uuid ?? initiatorID?.uuid
            ?? UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    }
}

/// What the start gate read about the place where the run would act.
package struct StartFacts: Sendable, Hashable {
    package var workspaceID: WorkspaceID
    package var tenantID: TenantID
    package var entraTenantID: String
    package var entraTenantName: String
    package var authority: AuthorityFacts
    /// The run that is active on the connection now.
    package var activeRun: (id: RunID, operation: String, parameters: JSON?)?

    package init(
        workspaceID: WorkspaceID, tenantID: TenantID, entraTenantID: String, entraTenantName: String,
        authority: AuthorityFacts, activeRun: (id: RunID, operation: String, parameters: JSON?)?
    ) {
        self.workspaceID = workspaceID
        self.tenantID = tenantID
        self.entraTenantID = entraTenantID
        self.entraTenantName = entraTenantName
        self.authority = authority
        self.activeRun = activeRun
    }

    package static func == (left: StartFacts, right: StartFacts) -> Bool {
        left.workspaceID == right.workspaceID && left.tenantID == right.tenantID
            && left.entraTenantID == right.entraTenantID && left.entraTenantName == right.entraTenantName
            && left.authority == right.authority && left.activeRun?.id == right.activeRun?.id
            && left.activeRun?.operation == right.activeRun?.operation
            && left.activeRun?.parameters == right.activeRun?.parameters
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(tenantID)
        hasher.combine(authority)
        hasher.combine(activeRun?.id)
    }
}

/// The answer at the door.
package enum StartAnswer: Sendable {
    /// A run is to be created: its snapshot, and the job for it.
    case accepted(RunSnapshot, OperationDefinition)
    /// The same operation with the same parameters is active on the connection, or the key was used before:
    /// this run.
    case duplicate(RunID)
    /// Another operation is active on the connection, or the same one with other parameters.
    case busy(RunID, operation: String)
    /// Not allowed, or not possible now.
    case refused(StartRefusal)
}

/// What becomes of a schedule's due moment.
package enum FiringAnswer: Sendable {
    /// A run is to be queued.
    case queued(RunSnapshot, OperationDefinition)
    /// A run is to be made that is blocked from the first.
    case blocked(RunSnapshot, LegitimacyDecision, DenialReason)
    /// Nothing now: it is tried again until the next due moment, and then skipped.
    case postponed(Obstacle)

    /// What is in the way of a due moment.
    package enum Obstacle: String, Sendable, CaseIterable {
        /// A run is active on the connection.
        case connectionBusy = "connection_busy"
        /// Nobody here executes the operation.
        case operationUnavailable = "operation_unavailable"
        /// This version does not know the operation.
        case operationUnknown = "operation_unknown"
        /// This version does not take the schedule's parameters.
        case parametersInvalid = "parameters_invalid"
    }
}

/// Why nothing was started.
package enum StartRefusal: Sendable, Hashable {
    /// There is no such connection, or the caller may not know of it: the two look the same (404).
    case notFound
    /// The caller is entitled to the tenant and lacks the capability (403).
    case forbidden(Capability)
    /// The gate would refuse it (409): the reason.
    case denied(DenialReason)
    /// There is no such operation (422).
    case operationUnknown
    /// The operation is known, and nobody here executes it (422).
    case operationUnavailable
    /// The wait limit is outside what the operation allows, in seconds (422).
    case waitLimitInvalid(allowed: ClosedRange<Int>)
    /// The operation does not take these parameters (422).
    case parametersInvalid([RunParameters.Fault])
}

/// Decides at the door, with the same checks as at execution, so that nothing is queued that could not run now.
package enum StartGate {
    /// Decides a request. `facts` is nil when the connection does not exist; `families` are those whose
    /// consumers are deployed.
    package static func answer(
        _ request: StartRequest, facts: StartFacts?, families: Set<OperationFamily>, runID: RunID, now: Date
    ) -> StartAnswer {
        guard let definition = OperationCatalogue.definition(named: request.operation) else {
            return .refused(.operationUnknown)
        }
        guard families.contains(definition.family) else { return .refused(.operationUnavailable) }
        let limits = 1...definition.queueLimitSeconds
        let wait = request.waitLimitSeconds ?? limits.upperBound
        guard limits.contains(wait) else { return .refused(.waitLimitInvalid(allowed: limits)) }
        let parameters: JSON?
        do {
            parameters = try RunParameters.accept(request.parameters, for: definition.type)
        } catch {
            return .refused(.parametersInvalid(error.faults))
        }
        // What depends on the request alone is said before: it tells nothing about the connection.
        guard let facts else { return .refused(.notFound) }
        var run = draft(request, definition, facts, runID: runID, now: now, wait: wait)
        run.execution.parameters = parameters
        let decision = LegitimacyGate.decide(run.execution, attempt: 1, phase: .start, facts: facts.authority)
        if let refusal = refusal(decision, definition) { return .refused(refusal) }
        if let active = facts.activeRun {
            return active.operation == request.operation
                && RunParameters.isSame(active.parameters, as: request)
                ? .duplicate(active.id) : .busy(active.id, operation: active.operation)
        }
        return .accepted(run, definition)
    }

    /// Decides what becomes of a schedule's due moment. It differs from the door in what it does with a refusal: nobody
    /// stands there who could be told, so the refused run is made, and tells it.
    package static func firing(
        _ request: StartRequest, facts: StartFacts, families: Set<OperationFamily>, runID: RunID, now: Date
    ) -> FiringAnswer {
        guard let definition = OperationCatalogue.definition(named: request.operation) else {
            return .postponed(.operationUnknown)
        }
        guard families.contains(definition.family) else { return .postponed(.operationUnavailable) }
        var run = draft(
            request, definition, facts, runID: runID, now: now, wait: definition.queueLimitSeconds)
        do {
            run.execution.parameters = try RunParameters.accept(request.parameters, for: definition.type)
        } catch {
            return .postponed(.parametersInvalid)
        }
        let decision = LegitimacyGate.decide(run.execution, attempt: 1, phase: .start, facts: facts.authority)
        // What may pass by itself is left to the queue, where the run waits and shows for what.
        if let reason = decision.denial, !reason.isRetryable { return .blocked(run, decision, reason) }
        if facts.activeRun != nil { return .postponed(.connectionBusy) }
        return .queued(run, definition)
    }

    /// Why a request would be refused now; nil when it would not. Says nothing about what is under way.
    package static func obstacle(_ request: StartRequest, facts: StartFacts, now: Date) -> DenialReason? {
        guard let definition = OperationCatalogue.definition(named: request.operation) else {
            return .operationUnknown
        }
        // Nothing is made of it: any id will do.
        let run = draft(
            request, definition, facts, runID: RunID(request.connectionID.uuid), now: now,
            wait: definition.queueLimitSeconds)
        return LegitimacyGate.decide(run.execution, attempt: 1, phase: .start, facts: facts.authority).denial
    }

    private static func draft(
        _ request: StartRequest, _ definition: OperationDefinition, _ facts: StartFacts, runID: RunID,
        now: Date, wait: Int
    ) -> RunSnapshot {
        var grantID: GrantID?
        if request.initiatorID != nil, case .found(let entitlement) = facts.authority.entitlement {
            grantID = entitlement.grantID
        }
        var generation = 0
        if case .found(let tenant) = facts.authority.tenant { generation = tenant.freezeGeneration }
        let context = QueuedExecutionContext(
            authorityMode: request.initiatorID == nil ? .systemAuthority : .actorBound,
            origin: request.origin, requiredCapability: definition.capability, grantID: grantID,
            freezeGeneration: generation, workspaceID: facts.workspaceID, tenantID: facts.tenantID,
            connectionID: request.connectionID, entraTenantID: facts.entraTenantID,
            entraTenantName: facts.entraTenantName)
        return RunSnapshot(
            execution: QueuedExecution(
                runID: runID, operation: request.operation, workspaceID: facts.workspaceID,
                tenantID: facts.tenantID, connectionID: request.connectionID,
                initiatorID: request.initiatorID, expiresAt: now.addingTimeInterval(Double(wait)),
                context: context),
            state: .queued, attempt: 1, queuedAt: now, scheduleID: request.scheduleID,
            retryOf: request.retryOf, traceparent: request.traceparent)
    }

    /// Who is not entitled learns nothing (404); who lacks the capability is told so (403).
    private static func refusal(
        _ decision: LegitimacyDecision, _ definition: OperationDefinition
    ) -> StartRefusal? {
        switch decision.denial {
        case nil: nil
        case .tenantNotEntitled, .initiatorMissing, .initiatorDisabled, .workspaceMismatch: .notFound
        case .capabilityMissing: .forbidden(definition.capability)
        case let reason?: .denied(reason)
        }
    }
}
