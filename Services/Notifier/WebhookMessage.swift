import FoundationEssentials
import JSON
import Operations
import ServiceKit

/// What a webhook is sent about a run, the same on every try (Standard Webhooks 1.0.0).
///
/// It is thin: ids, words and numbers. Whoever wants to know more asks, under their own authority.
struct WebhookMessage: Sendable {
    static let type = "run.completed"
    /// The standard's limit for a body, in bytes.
    static let byteLimit = 20_000

    /// The receiver's key to tell repetitions by: the run's id, because a run ends once.
    let id: String
    let body: [UInt8]
    /// The trace of the request that started the run.
    private let trace: TraceParent?

    /// Nil when the body would be above ``byteLimit``.
    init?(_ event: TerminalEvent) {
        id = "\(event.runID)"
        let message: JSON = [
            "type": .string(Self.type),
            "timestamp": Timestamp.json(event.completedAt),
            "data": [
                "run_id": .string("\(event.runID)"),
                "operation": .string(event.operation),
                "outcome": .string(event.outcome.rawValue),
                "reason_code": .optional(event.reason?.code),
                "counts": event.counts.json,
                "workspace_id": .string("\(event.workspaceID)"),
                "tenant_id": .string("\(event.tenantID)"),
                "provider_connection_id": .string("\(event.connectionID)"),
            ],
        ]
        body = message.bytes
        trace = event.traceparent.flatMap(TraceParent.init)
        guard body.count < Self.byteLimit else { return nil }
    }

    /// The headers of a try at `moment`, a part of its own of the run's trace, with a signature by each of the keys: while they are changed, receivers know
    /// the one or the other.
    func headers(at moment: Date, signedWith keys: [SigningKey]) throws -> [(String, String)] {
        let timestamp = String(Int(moment.timeIntervalSince1970))
        let signed = Array("\(id).\(timestamp).".utf8) + body
        return [
            ("content-type", "application/json"),
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", try keys.map { try $0.signature(of: signed) }.joined(separator: " ")),
        ] + (trace.map { [("traceparent", "\($0.child(.random(in: 1 ... .max)))")] } ?? [])
    }
}
