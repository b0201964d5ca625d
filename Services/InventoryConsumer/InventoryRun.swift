import Graph
import Operations
import Store

/// What the operations of this family have in common: lists to go through, and counts of what came of it.
struct InventoryRun: Sendable {
    let gateway: GraphGateway
    let ledger: Ledger

    /// Goes through `lists` from where the run's last attempt stopped; `tally` counts what is recorded by then, given
    /// how many entries there should be at least. `finish` is called when every list was read to its end.
    func execute(
        _ permit: ExecutionPermit, lists: [Listing], isWhole: Bool,
        prepare: (GraphSession, inout Ledger.Progress) async throws -> Void = { _, _ in },
        store: (ListingWalk.Page, GraphSession) async throws -> Void,
        finish: () async throws -> Void = {},
        tally: (Int?) async throws -> SummaryCounts
    ) async throws -> ExecutionResult {
        let run = permit.execution.runID
        var progress =
            try await ledger.progress(of: run) ?? Ledger.Progress(done: 0, total: nil, cursor: nil)
        do {
            let session = try await gateway.session(under: permit)
            if progress.cursor == nil { try await prepare(session, &progress) }
            var firstSkip: GraphFailure?
            var skips = 0
            let walk = ListingWalk(
                lists: lists, first: { try await Self.first($0, isWhole: isWhole, session) }, session: session
            )
            try await walk.walk(&progress) { page in
                try await store(page, session)
            } skip: { listing, failure, progress in
                firstSkip = firstSkip ?? failure
                skips += 1
                try await ledger.record([Self.skipped(listing, failure)], progress: progress, under: permit)
            }
            let counts = try await tally(nil)
            // Nothing at all could be read: that is the connection's failure, not the lists'.
            if let firstSkip, skips == lists.count { return .failed(firstSkip.failure, counts) }
            if counts[.failed] == 0 { try await finish() }
            return .completed(counts)
        } catch {
            let expected = progress.total
            let result = try await ExecutionResult(endingWith: error) { try await tally(expected) }
            guard let result else { throw error }
            return result
        }
    }

    private static func first(
        _ listing: Listing, isWhole: Bool, _ session: GraphSession
    ) async throws -> GraphPage {
        switch listing {
        case .devices:
            try await session.page(
                listing.path, [("$select", ListedItems.deviceSelection), ("$top", "1000")])
        case .groups:
            try await session.page(listing.path, [("$select", "id,displayName"), ("$top", "999")])
        case .policies(let kind): try await session.policies(PolicySurface.of(kind), isWhole: isWhole)
        }
    }

    private static func skipped(_ listing: Listing, _ failure: GraphFailure) -> Ledger.Item {
        Ledger.Item(key: "list: \(listing.word)", state: .failed, result: failure.failure.rawValue)
    }

    /// The counts of a run that has applied so many; failed and skipped items are the ledger's.
    func counts(_ run: RunID, applied: Int, expected: Int?) async throws -> SummaryCounts {
        var counts = SummaryCounts()
        for key in [SummaryCounts.Key.total, .applied, .failed, .untouched] { counts[key] = 0 }
        counts[.applied] = applied
        for (state, _, count) in try await ledger.tally(of: run) {
            switch state {
            case .applied: counts[.applied] += count
            case .failed: counts[.failed] += count
            case .skipped, .planned: counts[.skipped] += count
            case .inDoubt: counts[.inDoubt] += count
            case .untouched: counts[.untouched] += count
            }
        }
        let seen = counts[.applied] + counts[.failed] + counts[.skipped] + counts[.inDoubt]
        counts[.untouched] = max(0, (expected ?? 0) - seen)
        counts[.total] = seen + counts[.untouched]
        return counts
    }
}
