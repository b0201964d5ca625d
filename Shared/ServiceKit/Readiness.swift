import Logging

/// Whether the service can do its work now.
///
/// All checks run at once. Whoever asks while they run gets their result, and the result serves for a
/// second: askers can't wear the database out. A check that does not come back is not started again.
actor Readiness {
    enum Outcome: String, Sendable {
        case ok
        case failed
        case timedOut = "timed out"
    }

    struct Result: Sendable, Equatable {
        let name: String
        let outcome: Outcome
        let milliseconds: Int
    }

    struct Report: Sendable, Equatable {
        let results: [Result]
        let isStopping: Bool

        var isReady: Bool { !isStopping && results.allSatisfy { $0.outcome == .ok } }
    }

    private let checks: [ReadinessCheck]
    private let freshFor: Duration
    private let logger: Logger
    private var last: (results: [Result], at: ContinuousClock.Instant)?
    private var look: Task<[Result], Never>?
    private var busy: Set<String> = []
    private var isStopping = false

    init(_ checks: [ReadinessCheck], freshFor: Duration = .seconds(1), logger: Logger) {
        precondition(Set(checks.map(\.name)).count == checks.count, "two readiness checks have one name")
        self.checks = checks
        self.freshFor = freshFor
        self.logger = logger
    }

    /// From now on the service is not ready, whatever its checks say: it takes no new work.
    func stop() { isStopping = true }

    func report() async -> Report {
        if isStopping { return Report(results: [], isStopping: true) }
        if let last, .now - last.at < freshFor { return Report(results: last.results, isStopping: false) }
        let look = look ?? Task { await runAll() }
        self.look = look
        let results = await look.value
        return Report(results: results, isStopping: isStopping)
    }

    private func runAll() async -> [Result] {
        var results: [String: Result] = [:]
        await withTaskGroup { group in
            for check in checks { group.addTask { await self.run(check) } }
            for await result in group { results[result.name] = result }
        }
        let inOrder = checks.compactMap { results[$0.name] }
        last = (inOrder, .now)
        look = nil
        return inOrder
    }

    private func run(_ check: ReadinessCheck) async -> Result {
        let started = ContinuousClock.now
        let outcome = await outcome(of: check)
        let milliseconds = Int((ContinuousClock.now - started) / .milliseconds(1))
        return Result(name: check.name, outcome: outcome, milliseconds: milliseconds)
    }

    private func outcome(of check: ReadinessCheck) async -> Outcome {
        guard busy.insert(check.name).inserted else { return .timedOut }
        let (outcomes, first) = AsyncStream.makeStream(of: Outcome.self)
        let work = Task {
            do {
                try await check.run()
                first.yield(.ok)
            } catch {
                logger.warning(
                    "readiness check failed", error: error, metadata: ["check": .string(check.name)])
                first.yield(.failed)
            }
            busy.remove(check.name)
        }
        let alarm = Task {
            try await Task.sleep(for: check.limit)
            first.yield(.timedOut)
        }
        var winner = Outcome.timedOut
        for await outcome in outcomes {
            winner = outcome
            break
        }
        work.cancel()
        alarm.cancel()
        return winner
    }
}
