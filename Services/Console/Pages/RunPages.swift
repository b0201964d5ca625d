import FoundationEssentials
import JSON
import Operations
import Store

/// One run: what happened to it, why, and what can be done about it.
struct RunPages: Sendable {
    private static let itemLimit = 100

    let runs: RunReading
    let ledger: Ledger
    let access: AccessReading

    /// What the template reads.
    private struct View: Sendable {
        struct Fact: Sendable {
            let name: String
            let text: String?
            let link: LinkView?
            let moment: MomentView?

            init(_ name: String, _ text: String) {
                (self.name, self.text, link, moment) = (name, text, nil, nil)
            }
            init(_ name: String, _ link: LinkView) {
                (self.name, text, self.link, moment) = (name, nil, link, nil)
            }
            init(_ name: String, _ moment: MomentView) {
                (self.name, text, link, self.moment) = (name, nil, nil, moment)
            }
        }

        struct Event: Sendable {
            let at: MomentView
            let words: String
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
        let facts: [Fact]
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
                facts: Self.facts(run, visit.now), counts: Self.counts(summary, definition),
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
                context: run.context.indented, parameters: run.parameters?.indented),
            isLive: true)
    }

    private static func facts(_ run: RunDetail, _ now: Date) -> [View.Fact] {
        let summary = run.summary
        var facts = [
            View.Fact("Tenant", summary.tenant.name),
            View.Fact(
                "Connection",
                LinkView(label: summary.connection.name, href: Link.connection(summary.connection.id))),
            View.Fact("Started by", summary.initiator?.name ?? "the system"),
            View.Fact("Queued", MomentView(summary.queuedAt, now: now)),
        ]
        func add(_ name: String, _ date: Date?) {
            if let date { facts.append(View.Fact(name, MomentView(date, now: now))) }
        }
        add("Began", summary.startedAt)
        add("Ended", summary.completedAt)
        if let seconds = summary.seconds(now: now) {
            facts.append(View.Fact("Took", Presentation.length(seconds)))
        }
        add("Next attempt", summary.nextAttemptAt)
        if summary.state != .completed { add("Gives up", summary.expiresAt) }
        if summary.attempt > 1 { facts.append(View.Fact("Attempt", "\(summary.attempt)")) }
        if summary.scheduleID != nil { facts.append(View.Fact("Started", "by a schedule")) }
        if let first = summary.retryOf {
            facts.append(View.Fact("Retry of", LinkView(label: "\(first)", href: Link.run(first))))
        }
        for retry in run.retries {
            facts.append(View.Fact("Retried by", LinkView(label: "\(retry)", href: Link.run(retry))))
        }
        return facts
    }

    private static func counts(_ run: RunSummary, _ definition: OperationDefinition?) -> [View.Count] {
        // What the catalogue does not allow for the operation is not shown.
        let counts = definition.flatMap { try? SummaryCounts(json: run.counts, for: $0).json } ?? .null
        return (counts.object?.members ?? []).compactMap { name, value in
            value.integer.map {
                View.Count(name: words(name), count: Presentation.grouped($0), href: nil)
            }
        }
    }

    private static func items(_ run: RunDetail) -> [View.Count] {
        Ledger.Item.State.allCases.compactMap { state in
            run.items[state].map {
                View.Count(
                    name: words(state.rawValue), count: Presentation.grouped($0),
                    href: "\(Link.run(run.summary.id))/items?state=\(state.rawValue)")
            }
        }
    }

    private static func words(_ name: String) -> String { name.replacing("_", with: " ") }

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

    // MARK: items

    /// What the template of the items reads.
    private struct ItemsView: Sendable {
        struct Row: Sendable {
            let state: String
            let tone: String
            let icon: String
            let result: String
            let name: String
            let detail: String?

            init(_ item: Ledger.Item) {
                let look: (tone: Badge.Tone, icon: String) =
                    switch item.state {
                    case .applied: (.good, "✓")
                    case .failed: (.bad, "✗")
                    case .inDoubt: (.mixed, "◐")
                    case .skipped, .untouched: (.neutral, "–")
                    case .planned: (.neutral, "○")
                    }
                (tone, icon) = (look.tone.rawValue, look.icon)
                state = item.state.rawValue.replacing("_", with: " ")
                result = item.result?.replacing("_", with: " ") ?? ""
                name = item.label ?? item.key
                detail = item.detail
            }
        }

        struct Filter: Sendable {
            let label: String
            let href: String
            let isCurrent: Bool
        }

        let run: RunRow
        let filters: [Filter]
        let rows: [Row]
        let isEmpty: Bool
        let next: String?
    }

    func items(_ id: RunID, _ visit: Visit) async throws -> SitePage {
        try await Access(of: visit.principal, at: .run(id), access).require(.operationsView)
        guard let run = try await runs.run(id) else { throw Fault.notFound }
        let state = visit.query["state"].flatMap(Ledger.Item.State.init)
        let page = try await ledger.page(
            of: id, in: state, after: visit.query["after"], limit: Self.itemLimit)
        let base = "\(Link.run(id))/items"
        let states = Ledger.Item.State.allCases.filter { run.items[$0] != nil }
        let filters =
            [ItemsView.Filter(label: "All", href: base, isCurrent: state == nil)]
            + states.map { known in
                ItemsView.Filter(
                    label: "\(Self.words(known.rawValue)) \(Presentation.grouped(run.items[known] ?? 0))",
                    href: "\(base)?state=\(known.rawValue)", isCurrent: known == state)
            }
        let next =
            page.hasMore
            ? page.entries.last.map { last in
                "\(base)?\(state.map { "state=\($0.rawValue)&" } ?? "")after=\(last.key.urlEncoded)"
            } : nil
        return SitePage(
            template: "run-items", title: "Items of \(run.summary.label)", section: .operations,
            content: ItemsView(
                run: RunRow(run.summary, now: visit.now), filters: filters,
                rows: page.entries.map(ItemsView.Row.init), isEmpty: page.entries.isEmpty, next: next))
    }
}
