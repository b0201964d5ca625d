package import FoundationEssentials

/// A run as its row stood when it was locked: what a transition starts from.
package struct RunSnapshot: Sendable, Hashable {
    /// The run's scope, authority and limits.
    package var execution: QueuedExecution
    package var state: RunState
    /// The attempt that the row is at; 1 is the first.
    package var attempt: Int
    /// How many of its attempts failed or lost their worker. Refusals don't count: they have limits of their own.
    package var failedAttempts: Int
    /// When it was started by a person, an upstream system or a schedule.
    package var queuedAt: Date
    /// Why it waits, when it does.
    package var waitReason: RunReason?
    /// What its earlier attempts did: a run that applied something can't end «blocked».
    package var counts: SummaryCounts
    /// Whether a person asked to stop it.
    package var cancelRequested: Bool
    /// The schedule that started it.
    package var scheduleID: ScheduleID?
    /// The run that a person repeated by this one.
    package var retryOf: RunID?
    /// The W3C trace that the start belongs to (`traceparent`), passed on to every hop.
    package var traceparent: String?

    package init(
        execution: QueuedExecution, state: RunState, attempt: Int, queuedAt: Date, failedAttempts: Int = 0,
        waitReason: RunReason? = nil, counts: SummaryCounts = SummaryCounts(), cancelRequested: Bool = false,
        scheduleID: ScheduleID? = nil, retryOf: RunID? = nil, traceparent: String? = nil
    ) {
        self.execution = execution
        self.state = state
        self.attempt = attempt
        self.failedAttempts = failedAttempts
        self.queuedAt = queuedAt
        self.waitReason = waitReason
        self.counts = counts
        self.cancelRequested = cancelRequested
        self.scheduleID = scheduleID
        self.retryOf = retryOf
        self.traceparent = traceparent
    }
}
