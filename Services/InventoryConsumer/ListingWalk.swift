import Graph
import JSON
import Operations
import Store

/// Goes through lists page by page, and hands over each page with the position that is reached by it. While a page
/// is stored the next one is fetched, and no more than these two are in memory.
///
/// An attempt goes on at the page after the last recorded one. A link that the provider no longer knows starts its
/// list again, once: what was recorded is recorded again, and each thing is one row.
struct ListingWalk: Sendable {
    /// A page as it came.
    struct Page: Sendable {
        let listing: Listing
        let items: [JSON]
        /// How many entries of the list came before these.
        let position: Int
        /// Whether the list ends here.
        let isLast: Bool
        /// How far the run is with this page.
        let progress: Ledger.Progress
    }

    /// The most pages of one list; ten million devices.
    private static let pageLimit = 10_000

    let lists: [Listing]
    let first: @Sendable (Listing) async throws -> GraphPage
    let session: GraphSession

    /// Goes through what is left. `store` records a page. A list that the connection may not read, or that its cloud
    /// does not have, is told to `skip`, and the others are gone through.
    func walk(
        _ progress: inout Ledger.Progress, store: (Page) async throws -> Void,
        skip: (Listing, GraphFailure, Ledger.Progress) async throws -> Void
    ) async throws {
        if progress.cursor == ListingCursor.end { return }
        let stored = progress.cursor.flatMap(ListingCursor.init(stored:))
        let firstIndex = stored.flatMap { lists.firstIndex(of: $0.listing) }
        if firstIndex == nil { progress.done = 0 }
        for index in lists.indices.dropFirst(firstIndex ?? 0) {
            let cursor =
                index == firstIndex
                ? stored! : ListingCursor(listing: lists[index], start: progress.done, link: nil)
            do {
                try await list(cursor, &progress, store)
            } catch let failure as GraphFailure where Self.concernsOneList(failure) {
                progress.cursor = self.next(after: lists[index], start: progress.done)
                try await skip(lists[index], failure, progress)
            }
        }
    }

    private static func concernsOneList(_ failure: GraphFailure) -> Bool {
        switch failure.failure {
        case .permissionMissing, .licenceMissing, .notFound, .invalidRequest: true
        default: false
        }
    }

    /// The provider no longer knows the link. It must not be taken for the end of the list.
    private struct LinkExpired: Error {
        let failure: GraphFailure
    }

    private func list(
        _ cursor: ListingCursor, _ progress: inout Ledger.Progress, _ store: (Page) async throws -> Void
    ) async throws {
        do {
            try await pages(cursor, &progress, store)
        } catch is LinkExpired {
            progress.done = cursor.start
            do {
                try await pages(
                    ListingCursor(listing: cursor.listing, start: cursor.start, link: nil), &progress, store)
            } catch let expired as LinkExpired {
                throw expired.failure
            }
        }
    }

    private func pages(
        _ cursor: ListingCursor, _ progress: inout Ledger.Progress, _ store: (Page) async throws -> Void
    ) async throws {
        let listing = cursor.listing
        var walk = PageWalk(pageLimit: Self.pageLimit)
        var page: GraphPage
        if let link = cursor.link.flatMap(session.link(stored:)) {
            page = try await self.page(at: link, of: listing)!
        } else {
            progress.done = cursor.start
            page = try await first(listing)
        }
        while true {
            let next = try walk.follow(page)
            let position = progress.done - cursor.start
            progress.done += page.items.count
            progress.total = progress.total.map { max($0, progress.done) }
            progress.cursor =
                next.map { ListingCursor(listing: listing, start: cursor.start, link: $0.url).text }
                ?? self.next(after: listing, start: progress.done)
            async let following = self.page(at: next, of: listing)
            try await store(
                Page(
                    listing: listing, items: page.items, position: position, isLast: next == nil,
                    progress: progress))
            guard let nextPage = try await following else { return }
            page = nextPage
        }
    }

    private func next(after listing: Listing, start: Int) -> String {
        let index = lists.firstIndex(of: listing)! + 1
        guard index < lists.count else { return ListingCursor.end }
        return ListingCursor(listing: lists[index], start: start, link: nil).text
    }

    private func page(at link: NextLink?, of listing: Listing) async throws -> GraphPage? {
        guard let link else { return nil }
        do {
            return try await session.page(at: link, of: listing.path)
        } catch let failure as GraphFailure where failure.failure == .invalidRequest {
            throw LinkExpired(failure: failure)
        }
    }
}
