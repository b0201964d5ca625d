import Graph
import JSON
internal import Operations
import Store

/// `compliance.snapshot`: every managed device with its compliance state, and the counts.
///
/// The devices stream from the provider into the ledger: while a page is stored the next one is fetched, and no
/// more than these two are in memory.
struct ComplianceSnapshot: Sendable {
    /// The most pages of one listing; ten million devices.
    private static let pageLimit = 10_000
    private static let devices: GraphPath = "/v1.0/deviceManagement/managedDevices"
    private static let selection: [(name: StaticString, value: String)] = [
        (
            "$select",
            "id,deviceName,complianceState,lastSyncDateTime,operatingSystem,managedDeviceOwnerType,"
                + "azureADDeviceId,userPrincipalName"
        ), ("$top", "1000"),
    ]

    let gateway: GraphGateway
    let ledger: Ledger

    /// Executes one attempt. Throws the database's errors and cancellation.
    func execute(_ permit: ExecutionPermit) async throws -> ExecutionResult {
        let run = permit.execution.runID
        var progress =
            try await ledger.progress(of: run) ?? Ledger.Progress(done: 0, total: nil, cursor: nil)
        do {
            try await list(gateway.session(under: permit), permit, &progress)
            return .completed(DeviceTally.counts(try await ledger.tally(of: run), expected: nil))
        } catch {
            let expected = progress.total
            let result = try await ExecutionResult(endingWith: error) {
                DeviceTally.counts(try await ledger.tally(of: run), expected: expected)
            }
            guard let result else { throw error }
            return result
        }
    }

    /// The provider no longer knows the link. It must not be taken for the end of the list.
    private struct LinkExpired: Error {
        let failure: GraphFailure
    }

    private func list(
        _ session: GraphSession, _ permit: ExecutionPermit, _ progress: inout Ledger.Progress
    ) async throws {
        do {
            try await walk(session, permit, &progress)
        } catch is LinkExpired {
            // Once from the start: what was recorded is recorded again, not twice.
            progress.cursor = nil
            do {
                try await walk(session, permit, &progress)
            } catch let expired as LinkExpired {
                throw expired.failure
            }
        }
    }

    private func walk(
        _ session: GraphSession, _ permit: ExecutionPermit, _ progress: inout Ledger.Progress
    ) async throws {
        var walk = PageWalk(pageLimit: Self.pageLimit)
        var page = try await firstPage(session, &progress)
        while true {
            let next = try walk.follow(page)
            let items = DeviceTally.items(page.items, after: progress.done)
            progress.done += items.count
            progress.cursor = next?.url
            async let following = self.page(at: next, session)
            try await ledger.record(items, progress: progress, under: permit)
            guard let nextPage = try await following else { return }
            page = nextPage
        }
    }

    /// The page where an earlier attempt stopped, or the first one.
    private func firstPage(
        _ session: GraphSession, _ progress: inout Ledger.Progress
    ) async throws -> GraphPage {
        if let link = progress.cursor.flatMap(session.link(stored:)) {
            return try await page(at: link, session)!
        }
        progress.done = 0
        async let total = self.total(session)
        let page = try await session.page(Self.devices, Self.selection)
        progress.total = try await total ?? progress.total
        return page
    }

    private func page(at link: NextLink?, _ session: GraphSession) async throws -> GraphPage? {
        guard let link else { return nil }
        do {
            return try await session.page(at: link, of: Self.devices)
        } catch let failure as GraphFailure where failure.failure == .invalidRequest {
            throw LinkExpired(failure: failure)
        }
    }

    /// How many devices there should be, by the provider's own overview, which may lag: for progress only, so
    /// its absence does not matter.
    private func total(_ session: GraphSession) async throws -> Int? {
        do {
            let overview = try await session.get("/v1.0/deviceManagement/managedDeviceOverview")
            return overview["enrolledDeviceCount"]?.integer.flatMap { $0 >= 0 ? $0 : nil }
        } catch let failure as GraphFailure where !failure.failure.isRetryable {
            return nil
        }
    }
}
