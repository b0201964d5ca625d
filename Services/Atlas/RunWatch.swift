import FoundationEssentials
import JSON
import Operations

/// Follows a run until it has ended: in place on a terminal, else a line whenever something has changed.
struct RunWatch {
    private static let interval = Duration.milliseconds(500)
    /// Without a terminal, progress alone is told this often.
    private static let plainInterval = Duration.seconds(5)

    let api: APIClient
    let output: Output

    /// Returns the run as it ended. Throws when it takes longer than `limit`; the run itself goes on.
    func follow(_ id: String, limit: TimeSpan) async throws -> JSON {
        let end = ContinuousClock.now + .seconds(limit.seconds)
        var shown = ""
        var shownAt = ContinuousClock.now
        var failure: Failure?
        repeat {
            do {
                let run = try await api.get("/v1/runs/\(id)", doing: "watch the run")
                failure = nil
                if RunView(run).isCompleted {
                    output.terminal.endProgress()
                    return run
                }
                tell(run, &shown, &shownAt)
            } catch let unreachable as Failure where unreachable.code == .unreachable {
                // It may be restarting; the run does not depend on it.
                failure = unreachable
                if !output.isJSON { output.terminal.progress("The Starter does not answer; trying again …") }
            }
            try await Task.sleep(for: Self.interval)
        } while ContinuousClock.now < end
        output.terminal.endProgress()
        if let failure { throw failure }
        throw Failure(
            code: .refused,
            what: "The run has not ended within \(Presentation.length(Double(limit.seconds))).",
            why: "It goes on.", next: "Go on watching it with «atlas runs watch \(id)».")
    }

    private func tell(_ run: JSON, _ shown: inout String, _ shownAt: inout ContinuousClock.Instant) {
        guard !output.isJSON else { return }
        let view = RunView(run)
        let style = output.style
        var text = view.line(style)
        if let reason = view.reason { text += "  because: \(Style.plain(reason))" }
        let progress = view.progress(now: style.times.now).map { "  \($0)" } ?? ""
        if output.terminal.isInteractive {
            output.terminal.progress(text + progress)
        } else if text != shown
            || (!progress.isEmpty && ContinuousClock.now - shownAt >= Self.plainInterval)
        {
            output.terminal.line(text + progress)
            (shown, shownAt) = (text, .now)
        }
    }
}
