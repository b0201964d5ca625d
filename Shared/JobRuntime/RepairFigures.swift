package import ServiceKit

/// What maintenance had to put right, for those who watch the system.
package struct RepairFigures: Sendable {
    let workers: Counter
    let runs: Counter
    let calls: Counter
    let reminders: Counter

    /// Enters the figures.
    package init(_ metrics: Metrics) {
        workers = metrics.counter("tenantatlas_workers_lost_total", help: "Workers whose lease ran out.")
        runs = metrics.counter(
            "tenantatlas_runs_repaired_total",
            help: "Runs, and parts of bulk runs, that a lost worker had left.")
        calls = metrics.counter(
            "tenantatlas_calls_in_doubt_total", help: "Provider calls of which nobody knows how they ended.")
        reminders = metrics.counter(
            "tenantatlas_runs_reminded_total", help: "Queued runs that were rung for again.")
    }
}
