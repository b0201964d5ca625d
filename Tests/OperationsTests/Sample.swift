import FoundationEssentials
import JSON
import Operations
import Testing

/// Ready-made values that the gate allows; a test changes what it is about.
enum Sample {
    static let workspace = WorkspaceID("00000000-0000-4000-8000-000000000001")!
    static let otherWorkspace = WorkspaceID("00000000-0000-4000-8000-0000000000f1")!
    static let tenant = TenantID("00000000-0000-4000-8000-000000000002")!
    static let otherTenant = TenantID("00000000-0000-4000-8000-0000000000f2")!
    static let connection = ConnectionID("00000000-0000-4000-8000-000000000003")!
    static let otherConnection = ConnectionID("00000000-0000-4000-8000-0000000000f3")!
    static let user = UserID("00000000-0000-4000-8000-000000000004")!
    static let grant = GrantID("00000000-0000-4000-8000-000000000005")!
    static let otherGrant = GrantID("00000000-0000-4000-8000-0000000000f5")!
    static let run = RunID("00000000-0000-4000-8000-000000000006")!
    static let activeRun = RunID("00000000-0000-4000-8000-0000000000f6")!
    static let directory = "11111111-1111-4111-8111-111111111111"
    static let otherDirectory = "22222222-2222-4222-8222-222222222222"
    static let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    /// 2026-11-21 09:00:00 UTC.
    static let now = Date(timeIntervalSince1970: 1_795_251_600)
    static let expiry = now.addingTimeInterval(3_600)

    static func context(_ type: OperationType, system: Bool = false) -> QueuedExecutionContext {
        QueuedExecutionContext(
            authorityMode: system ? .systemAuthority : .actorBound, origin: system ? .schedule : .person,
            requiredCapability: OperationCatalogue.definition(type).capability,
            grantID: system ? nil : grant, freezeGeneration: 4, workspaceID: workspace, tenantID: tenant,
            connectionID: connection, entraTenantID: directory, entraTenantName: "Contoso")
    }

    static func execution(_ type: OperationType, system: Bool = false) -> QueuedExecution {
        QueuedExecution(
            runID: run, operation: type.rawValue, workspaceID: workspace, tenantID: tenant,
            connectionID: connection, initiatorID: system ? nil : user, expiresAt: expiry,
            context: context(type, system: system))
    }

    static var writeGate: AuthorityFacts.WriteGate {
        .init(isOpen: true, checkedAt: now.addingTimeInterval(-60), isHealthy: true, limitSeconds: 86_400)
    }

    static var tenantFact: AuthorityFacts.Tenant {
        .init(
            workspaceID: workspace, operability: .operable, authorityEpoch: 7, freezeGeneration: 4,
            writeGate: writeGate)
    }

    static var facts: AuthorityFacts {
        AuthorityFacts(
            initiator: .found(.init(isDisabled: false)),
            entitlement: .found(.init(grantID: grant, role: .owner)), tenant: .found(tenantFact),
            connection: .found(
                .init(tenantID: tenant, isEnabled: true, entraTenantID: directory, hasCredential: true)),
            readAt: now)
    }

    static func snapshot(
        _ type: OperationType, state: RunState = .queued, attempt: Int = 1, system: Bool = false
    ) -> RunSnapshot {
        RunSnapshot(
            execution: execution(type, system: system), state: state, attempt: attempt,
            queuedAt: now.addingTimeInterval(-600), traceparent: traceparent)
    }

    /// A decision of the gate on that run: allowed, or denied for a suspended tenant.
    static func decision(_ type: OperationType, allowed: Bool) -> LegitimacyDecision {
        var facts = Sample.facts
        var tenant = tenantFact
        tenant.operability = allowed ? .operable : .suspended
        facts.tenant = .found(tenant)
        return LegitimacyGate.decide(execution(type), attempt: 1, phase: .begin, facts: facts)
    }

    static func counts(_ values: [SummaryCounts.Key: Int]) -> SummaryCounts {
        var counts = SummaryCounts()
        for (key, value) in values { counts[key] = value }
        return counts
    }
}

extension RunTransition {
    /// The terminal event that is committed with it, as a notifier reads it.
    func event() throws -> TerminalEvent {
        let message = try #require(outbox)
        #expect(message.route == .terminalEvent)
        return try #require(TerminalEvent(body: message.body))
    }
}
