package import FoundationEssentials
internal import JSON

/// The one event that tells that a run ended: a CloudEvent (1.0) in structured mode.
package struct TerminalEvent: Sendable, Hashable {
    package var runID: RunID
    package var operation: String
    package var outcome: RunOutcome
    /// Why it did not succeed; nil when it did.
    package var reason: RunReason?
    package var counts: SummaryCounts
    package var workspaceID: WorkspaceID
    package var tenantID: TenantID
    package var connectionID: ConnectionID
    /// Who is told; nil for a run of the system.
    package var initiatorID: UserID?
    package var attempt: Int
    package var queuedAt: Date
    package var completedAt: Date
    package var traceparent: String?

    /// The CloudEvents `type`.
    package static let type = "com.tenantatlas.run.completed.v1"
    /// The CloudEvents `source`.
    package static let source = "/tenantatlas/runs"
    /// The content type of the body.
    package static let contentType = "application/cloudevents+json"
    /// The largest body that is looked at, in bytes.
    package static let byteLimit = 16_384

    package init(
        run: RunSnapshot, outcome: RunOutcome, reason: RunReason?, counts: SummaryCounts, completedAt: Date
    ) {
        runID = run.execution.runID
        operation = run.execution.operation
        self.outcome = outcome
        self.reason = reason
        self.counts = counts
        workspaceID = run.execution.workspaceID
        tenantID = run.execution.tenantID
        connectionID = run.execution.connectionID
        initiatorID = run.execution.initiatorID
        attempt = run.attempt
        queuedAt = run.queuedAt
        self.completedAt = completedAt
        traceparent = run.traceparent
    }

    /// The body. The event's id is the run's: a run ends once, so the pair (source, id) is unique.
    package var body: [UInt8] {
        var event: JSONObject = [
            "specversion": "1.0",
            "id": .string("\(runID)"),
            "source": .string(Self.source),
            "type": .string(Self.type),
            "subject": .string("\(runID)"),
            "time": Timestamp.json(completedAt),
            "datacontenttype": "application/json",
        ]
        if let traceparent { event["traceparent"] = .string(traceparent) }
        event["data"] = [
            "run_id": .string("\(runID)"),
            "operation": .string(operation),
            "outcome": .string(outcome.rawValue),
            "reason_code": .optional(reason?.code),
            "counts": counts.json,
            "workspace_id": .string("\(workspaceID)"),
            "tenant_id": .string("\(tenantID)"),
            "provider_connection_id": .string("\(connectionID)"),
            "initiator_id": .optional(initiatorID?.description),
            "attempt": .int(attempt),
            "queued_at": Timestamp.json(queuedAt),
            "completed_at": Timestamp.json(completedAt),
        ]
        return JSON.object(event).bytes
    }

    /// Reads a body; nil when it is not such an event. Unknown members are ignored, so that a newer
    /// version may add some.
    package init?(body: [UInt8]) {
        guard body.count <= Self.byteLimit, let event = try? JSON(parsing: body),
            event["type"]?.string == Self.type, let data = event["data"],
            let runID = data["run_id"]?.string.flatMap(RunID.init), event["id"]?.string == "\(runID)",
            let operation = data["operation"]?.string,
            let outcome = data["outcome"]?.string.flatMap(RunOutcome.init),
            let counts = data["counts"].flatMap({ Self.counts($0, of: operation) }),
            let workspaceID = data["workspace_id"]?.string.flatMap(WorkspaceID.init),
            let tenantID = data["tenant_id"]?.string.flatMap(TenantID.init),
            let connectionID = data["provider_connection_id"]?.string.flatMap(ConnectionID.init),
            let attempt = data["attempt"]?.integer,
            let queuedAt = data["queued_at"].flatMap(Timestamp.init(json:)),
            let completedAt = data["completed_at"].flatMap(Timestamp.init(json:))
        else { return nil }
        self.runID = runID
        self.operation = operation
        self.outcome = outcome
        reason = data["reason_code"]?.string.flatMap(RunReason.init(code:))
        self.counts = counts
        self.workspaceID = workspaceID
        self.tenantID = tenantID
        self.connectionID = connectionID
        initiatorID = data["initiator_id"]?.string.flatMap(UserID.init)
        self.attempt = attempt
        self.queuedAt = queuedAt.date
        self.completedAt = completedAt.date
        traceparent = event["traceparent"]?.string
    }

    /// A run of an unknown operation ends too (`operation_unknown`), and its initiator is told; it has done
    /// nothing that could be counted.
    private static func counts(_ json: JSON, of operation: String) -> SummaryCounts? {
        guard let definition = OperationCatalogue.definition(named: operation) else { return SummaryCounts() }
        return try? SummaryCounts(json: json, for: definition)
    }
}
