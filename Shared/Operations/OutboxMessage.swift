/// A message that is committed together with the change that it tells of, and published afterwards.
package struct OutboxMessage: Sendable, Hashable {
    /// Where it goes.
    package enum Route: Sendable, Hashable {
        /// To the job queue of a family.
        case job(OperationFamily)
        /// To everybody who listens for ended runs.
        case terminalEvent
    }

    package let route: Route
    /// The run that it is about.
    package let runID: RunID
    /// The AMQP message id: the same for every publication.
    package let messageID: String
    /// The body as it goes over the wire.
    package let body: [UInt8]
    /// How long after the commit it becomes due, in seconds; 0 for at once.
    package let delaySeconds: Double

    /// The doorbell for an attempt of a run.
    package static func job(
        _ run: RunSnapshot, family: OperationFamily, attempt: Int, delaySeconds: Double = 0
    ) -> OutboxMessage {
        let job = JobMessage(runID: run.execution.runID, attempt: attempt)
        return OutboxMessage(
            route: .job(family), runID: job.runID, messageID: job.messageID,
            body: job.body(traceparent: run.traceparent), delaySeconds: delaySeconds)
    }

    /// The doorbell for an attempt of a chunk.
    package static func chunk(
        _ chunk: Int, of run: RunSnapshot, family: OperationFamily, attempt: Int, delaySeconds: Double = 0
    ) -> OutboxMessage {
        let job = JobMessage(runID: run.execution.runID, chunk: chunk, attempt: attempt)
        return OutboxMessage(
            route: .job(family), runID: job.runID, messageID: job.messageID,
            body: job.body(traceparent: run.traceparent), delaySeconds: delaySeconds)
    }

    /// The terminal event of a run.
    package static func event(_ event: TerminalEvent) -> OutboxMessage {
        OutboxMessage(
            route: .terminalEvent, runID: event.runID, messageID: "\(event.runID)", body: event.body,
            delaySeconds: 0)
    }
}
