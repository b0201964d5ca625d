import JSON
import Operations
import Testing

/// What a result comes to: the outcome follows from the counts.
struct OutcomeTests {
    typealias Row = (
        applied: Int, failed: Int, inDoubt: Int, untouched: Int,
        completed: RunOutcome, refused: RunOutcome, broken: RunOutcome
    )

    static let rows: [Row] = [
        (0, 0, 0, 0, .succeeded, .blocked, .failed),
        (0, 0, 0, 9, .failed, .blocked, .failed),
        (0, 0, 9, 0, .failed, .partiallySucceeded, .failed),
        (0, 0, 9, 9, .failed, .partiallySucceeded, .failed),
        (0, 9, 0, 0, .failed, .blocked, .failed),
        (0, 9, 0, 9, .failed, .blocked, .failed),
        (0, 9, 9, 0, .failed, .partiallySucceeded, .failed),
        (0, 9, 9, 9, .failed, .partiallySucceeded, .failed),
        (9, 0, 0, 0, .succeeded, .partiallySucceeded, .partiallySucceeded),
        (9, 0, 0, 9, .partiallySucceeded, .partiallySucceeded, .partiallySucceeded),
        (9, 0, 9, 0, .partiallySucceeded, .partiallySucceeded, .partiallySucceeded),
        (9, 0, 9, 9, .partiallySucceeded, .partiallySucceeded, .partiallySucceeded),
        (9, 9, 0, 0, .partiallySucceeded, .partiallySucceeded, .partiallySucceeded),
        (9, 9, 0, 9, .partiallySucceeded, .partiallySucceeded, .partiallySucceeded),
        (9, 9, 9, 0, .partiallySucceeded, .partiallySucceeded, .partiallySucceeded),
        (9, 9, 9, 9, .partiallySucceeded, .partiallySucceeded, .partiallySucceeded),
    ]

    @Test(arguments: rows.indices, OperationType.allCases)
    func `the outcome is`(index: Int, type: OperationType) {
        let row = Self.rows[index]
        let counts = Sample.counts([
            .applied: row.applied, .failed: row.failed, .inDoubt: row.inDoubt, .untouched: row.untouched,
        ])
        let refusal = Sample.decision(type, allowed: false)
        let results: [(ExecutionResult, RunOutcome, RunReason?)] = [
            (.completed(counts), row.completed, nil),
            (.refused(refusal, counts), row.refused, .denial(.tenantSuspended)),
            (.failed(.permissionMissing, counts), row.broken, .failure(.permissionMissing)),
            (.cancelled(counts), .cancelled, nil),
        ]
        for (result, outcome, reason) in results {
            let change = RunTransition.finish(
                Sample.snapshot(type, state: .running), result, now: Sample.now, random: 0)
            #expect(change.outcome == outcome)
            #expect(change.reason == reason)
            #expect(change.counts == counts)
            #expect(result.counts == counts)
        }
    }

    /// A word that the operation may not report reaches neither row, nor audit, nor event.
    @Test(arguments: OperationType.allCases)
    func `foreign counts are left out`(type: OperationType) throws {
        let allowed = SummaryCounts.Key.general.union(OperationCatalogue.definition(type).countKeys)
        let all = Sample.counts(Dictionary(uniqueKeysWithValues: SummaryCounts.Key.allCases.map { ($0, 1) }))
        let results: [ExecutionResult] = [
            .completed(all), .failed(.notFound, all), .failed(.throttled, all), .cancelled(all),
        ]
        for result in results {
            let change = RunTransition.finish(
                Sample.snapshot(type, state: .running), result, now: Sample.now, random: 0)
            let keys = try #require(change.counts?.json.object).keys
            #expect(Set(keys) == Set(allowed.map(\.rawValue)))
            #expect(change.audit.details["counts"]?.object?.keys == keys)
        }
    }

    /// design.md, section 4: «blocked» claims that nothing was applied. Earlier attempts may have applied
    /// something before a retry or a repair; what they did is not forgotten.
    @Test(arguments: [(0, 0, RunOutcome.blocked), (2, 0, .partiallySucceeded), (0, 1, .partiallySucceeded)])
    func `a refusal after an attempt that applied something is no «blocked»`(
        applied: Int, inDoubt: Int, outcome: RunOutcome
    ) throws {
        var run = Sample.snapshot(.restoreExecute, attempt: 2)
        run.counts = Sample.counts([.total: 5, .applied: applied, .inDoubt: inDoubt, .untouched: 2])
        let change = RunTransition.deny(
            run, Sample.decision(.restoreExecute, allowed: false), reason: .tenantArchived, now: Sample.now,
            random: 0)
        #expect(change.outcome == outcome)
        #expect(change.reason == .denial(.tenantArchived))
        // The row keeps what it says; audit and event repeat it.
        #expect(change.counts == nil)
        #expect(change.audit.details["counts"] == run.counts.json)
        #expect(try change.event().counts == run.counts)
    }

    @Test(arguments: [(0, RunOutcome.failed), (2, .partiallySucceeded)])
    func `a run that lost its workers keeps what they did`(applied: Int, outcome: RunOutcome) throws {
        var run = Sample.snapshot(.restoreExecute, state: .running, attempt: 8)
        run.failedAttempts = 7
        run.counts = Sample.counts([.total: 5, .applied: applied])
        let change = RunTransition.repair(run, now: Sample.now)
        #expect(change.outcome == outcome)
        #expect(change.reason == .failure(.workerLost))
        // The row keeps what it says; audit and event repeat it.
        #expect(change.counts == nil)
        #expect(change.audit.details["counts"] == run.counts.json)
        #expect(try change.event().counts == run.counts)
    }

    @Test func `a run that is stopped while it waits keeps what was done`() throws {
        var run = Sample.snapshot(.restoreExecute, attempt: 2)
        run.counts = Sample.counts([.total: 5, .applied: 2, .untouched: 3])
        let change = RunTransition.cancel(run, now: Sample.now)
        #expect(change.outcome == .cancelled)
        // The row keeps what it says; audit and event repeat it.
        #expect(change.counts == nil)
        #expect(change.audit.details["counts"] == run.counts.json)
        #expect(try change.event().counts == run.counts)
    }
}
