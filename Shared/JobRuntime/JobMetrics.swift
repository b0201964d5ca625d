internal import FoundationEssentials
internal import Operations
package import ServiceKit

/// What a consumer counts and times, for people who watch and scale it. No ids: label sets stay few.
package struct JobMetrics: Sendable {
    private let runs: Counter
    private let decisions: Counter
    private let wait: Histogram
    private let duration: Histogram

    /// Enters the metrics.
    package init(_ metrics: Metrics) {
        runs = metrics.counter(
            "tenantatlas_runs_total", help: "Runs that ended.", labels: ["family", "operation", "outcome"])
        decisions = metrics.counter(
            "tenantatlas_gate_decisions_total", help: "Decisions of the gate at the begin of an attempt.",
            labels: ["decision", "reason_code", "authority_mode"])
        wait = metrics.histogram(
            "tenantatlas_run_queue_wait_seconds", help: "From the start of a run to its first execution.",
            labels: ["operation"])
        duration = metrics.histogram(
            "tenantatlas_run_duration_seconds", help: "From begin to finish of an attempt.",
            labels: ["operation"])
    }

    func allowed(_ run: RunSnapshot, isChunk: Bool) {
        decisions.add(1, "allowed", "", run.execution.context?.authorityMode.rawValue ?? "")
        guard run.attempt == 1, !isChunk else { return }
        wait.observe(Duration.seconds(run.queuedAt.timeIntervalSinceNow * -1), run.execution.operation)
    }

    func denied(_ run: RunSnapshot, _ reason: DenialReason, ended: Bool) {
        decisions.add(1, "denied", reason.rawValue, run.execution.context?.authorityMode.rawValue ?? "")
        if ended { self.ended(run, .blocked) }
    }

    func finished(_ run: RunSnapshot, _ outcome: RunOutcome?, began: ContinuousClock.Instant) {
        duration.observe(ContinuousClock.now - began, run.execution.operation)
        if let outcome { ended(run, outcome) }
    }

    func ended(_ run: RunSnapshot, _ outcome: RunOutcome) {
        let family = OperationCatalogue.definition(named: run.execution.operation)?.family
        runs.add(1, family?.rawValue ?? "", run.execution.operation, outcome.rawValue)
    }
}
