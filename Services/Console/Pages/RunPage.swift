import FoundationEssentials
import JSON
import Operations
import Store

/// One run: what happened to it, why, and what can be done about it.
struct RunPage: Sendable {
    let runs: RunReading
    let backups: BackupReading
    let access: AccessReading

    /// What the template reads.
    private struct View: Sendable {
        struct Event: Sendable {
            let at: MomentView
            let words: String
        }

        /// What a preview of a restore leads to.
        struct Restore: Sendable {
            let action: String
            /// How many items would be written; nil when none would.
            let count: String?
            let obstacle: String?
        }

        struct Count: Sendable {
            let name: String
            let count: String
            /// Where these items stand.
            let href: String?
        }

        let run: RunRow
        let remedy: String?
        let code: String?
        let isEnding: Bool
        let canCancel: Bool
        let canRetry: Bool
        /// Makes of a double click one run.
        let retryKey: String
        /// Whether it only looks at what it would do.
        let isPreview: Bool
        let restore: Restore?
        let facts: [RunFact]
        let counts: [Count]
        let items: [Count]
        let hasItems: Bool
        let timeline: [Event]
        let then: DecisionView?
        let replay: String?
        let isReplayEqual: Bool
        let current: DecisionView
        let unblock: String
        let context: String
        let parameters: String?
        /// What was recorded about it, for whoever may see that.
        let records: String?
    }

    func show(_ id: RunID, _ visit: Visit) async throws -> SitePage {
        let place = try await Access(of: visit.principal, at: .run(id), access)
        try place.require(.operationsView)
        async let explained = runs.explanation(of: id)
        guard let run = try await runs.run(id), let explanation = try await explained else {
            throw Fault.notFound
        }
        let summary = run.summary
        let isOver = summary.state == .completed
        let definition = OperationCatalogue.definition(named: summary.operation)
        let mayStart = place.holds(definition?.capability ?? .accessManage)
        let schedule = try await schedule(of: summary, visit)
        let set = try await set(of: run)
        let current = DecisionView(explanation.now.json, isPresent: true, now: visit.now)
        return SitePage(
            template: "run", title: "\(summary.label) on \(summary.tenant.name)", section: .operations,
            content: View(
                run: RunRow(summary, now: visit.now),
                remedy: summary.reason.map { Presentation.remedy($0, isOver: isOver) },
                code: summary.reason?.code, isEnding: summary.cancelRequested && !isOver,
                canCancel: mayStart && !isOver && !summary.cancelRequested,
                canRetry: mayStart && isOver && summary.outcome != .succeeded,
                retryKey: visit.seal.key("\(id) \(run.retries.first.map { "\($0)" } ?? "")"),
                isPreview: run.parameters?["mode"]?.string == RestoreParameters.Mode.preview.rawValue,
                restore: set == nil ? nil : RestoreOffer(run).map { Self.restore($0, place) },
                facts: RunFact.all(of: run, set, schedule, visit.now),
                counts: Self.counts(summary, definition),
                items: Self.items(run), hasItems: !run.items.isEmpty,
                timeline: run.timeline.reversed().map { event in
                    View.Event(
                        at: MomentView(event.at, now: visit.now),
                        words: EventWords.text(
                            event.action, outcome: event.outcome, reasonCode: event.reasonCode))
                },
                then: explanation.then.map { DecisionView($0, now: visit.now) },
                replay: explanation.then == nil ? nil : Self.replay(explanation.replay),
                isReplayEqual: explanation.replay?.isEqual == true, current: current,
                unblock: explanation.unblock ?? Self.nothingToDo(isOver, current.isAllowed),
                context: run.context.indented, parameters: run.parameters?.indented,
                records: place.holds(.auditView) ? "\(SitePage.Section.audit.href)?run=\(id)" : nil),
            isLive: true)
    }

    /// The schedule that started a run, if it is still there.
    private func schedule(of run: RunSummary, _ visit: Visit) async throws -> ScheduleID? {
        guard let id = run.scheduleID else { return nil }
        let standing = try await access.standing(of: visit.principal.userID, at: .schedule(id))
        return standing == nil ? nil : id
    }

    /// The backup set that the run made, or restores from; nil for other runs, and for a set of another tenant, which a
    /// start may have named.
    private func set(of run: RunDetail) async throws -> BackupSummary? {
        let named = run.parameters?["backup_id"]?.string.flatMap { RunID($0) }
        let made = run.summary.operation == OperationType.backupRun.rawValue ? run.summary.id : nil
        guard let id = named ?? made, let set = try await backups.set(id) else { return nil }
        return set.tenant.id == run.summary.tenant.id ? set : nil
    }

    private static func restore(_ offer: RestoreOffer, _ place: Access) -> View.Restore {
        let capability = OperationCatalogue.definition(offer.operation).capability
        return View.Restore(
            action: Link.restore(offer.backup),
            count: offer.count == 0 ? nil : Presentation.grouped(offer.count),
            obstacle: place.holds(capability)
                ? nil : "Your role here does not include \(capability.rawValue).")
    }

    private static func counts(_ run: RunSummary, _ definition: OperationDefinition?) -> [View.Count] {
        // What the catalogue does not allow for the operation is not shown.
        let counts = definition.flatMap { try? SummaryCounts(json: run.counts, for: $0).json } ?? .null
        return (counts.object?.members ?? []).compactMap { name, value in
            value.integer.map {
                View.Count(name: name.replacing("_", with: " "), count: Presentation.grouped($0), href: nil)
            }
        }
    }

    private static func items(_ run: RunDetail) -> [View.Count] {
        Ledger.Item.State.allCases.compactMap { state in
            run.items[state].map {
                View.Count(
                    name: state.words, count: Presentation.grouped($0),
                    href: "\(Link.run(run.summary.id))/items?state=\(state.rawValue)")
            }
        }
    }

    private static func replay(_ replay: RunExplanation.Replay?) -> String {
        switch replay?.isEqual {
        case true?: "Decided again from what was known then, it comes out the same."
        case false?:
            "Decided again from what was known then, it comes out differently: the record was changed, or the rules"
                + " were. Tell the platform engineer."
        case nil: "It can't be decided again: its record is of another version."
        }
    }

    private static func nothingToDo(_ isOver: Bool, _ isAllowed: Bool) -> String {
        switch (isOver, isAllowed) {
        case (true, true): "It stays as it ended. Nothing stands in the way of starting it again."
        case (true, false): "It stays as it ended. Started again now, it would be refused as shown here."
        case (false, _): "Nothing stands in the way."
        }
    }
}
