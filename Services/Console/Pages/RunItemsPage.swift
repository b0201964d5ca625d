import Operations
import Store

/// What a run did to each item.
struct RunItemsPage: Sendable {
    private static let pageLimit = 100

    let runs: RunReading
    let ledger: Ledger
    let access: AccessReading

    /// What the template of the items reads.
    private struct View: Sendable {
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
                state = item.state.words
                result = item.result?.replacing("_", with: " ") ?? ""
                name = item.label ?? item.key
                detail = item.detail
            }
        }

        let run: RunRow
        let filters: [Chip]
        let rows: [Row]
        let isEmpty: Bool
        let next: String?
    }

    func show(_ id: RunID, _ visit: Visit) async throws -> SitePage {
        try await Access(of: visit.principal, at: .run(id), access).require(.operationsView)
        guard let run = try await runs.run(id) else { throw Fault.notFound }
        let state = visit.query["state"].flatMap(Ledger.Item.State.init)
        let page = try await ledger.page(
            of: id, in: state, after: visit.query["after"], limit: Self.pageLimit)
        let base = "\(Link.run(id))/items"
        let states = Ledger.Item.State.allCases.filter { run.items[$0] != nil }
        let filters =
            [Chip(label: "All", href: base, isCurrent: state == nil)]
            + states.map { known in
                Chip(
                    label: "\(known.words) \(Presentation.grouped(run.items[known] ?? 0))",
                    href: "\(base)?state=\(known.rawValue)", isCurrent: known == state)
            }
        let next =
            page.hasMore
            ? page.entries.last.map { last in
                "\(base)?\(state.map { "state=\($0.rawValue)&" } ?? "")after=\(last.key.urlEncoded)"
            } : nil
        return SitePage(
            template: "run-items", title: "Items of \(run.summary.label)", section: .operations,
            content: View(
                run: RunRow(run.summary, now: visit.now), filters: filters,
                rows: page.entries.map(View.Row.init), isEmpty: page.entries.isEmpty, next: next))
    }
}

extension Ledger.Item.State {
    /// What people read for it.
    var words: String { rawValue.replacing("_", with: " ") }
}
