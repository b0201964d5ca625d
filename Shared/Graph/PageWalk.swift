package import JSON
internal import Operations

/// One page of a collection.
package struct GraphPage: Sendable {
    /// The members of `value`, as they came.
    package let items: [JSON]
    /// Where the next page is; nil on the last one.
    package let next: NextLink?
}

/// The address of a following page: opaque, and sent byte for byte. One is made only after its origin was
/// compared, so a bearer token follows it nowhere else.
package struct NextLink: Sendable, Hashable {
    /// The longest that is accepted, in bytes.
    static let longest = 16 * 1_024

    /// The whole URL. It may hold names of devices: store it with the run, and don't log it.
    package let url: String

    /// Nil when it is not on `origin`.
    init?(_ url: String, on origin: Origin) {
        guard url.utf8.count <= Self.longest, Origin(url: url) == origin else { return nil }
        self.url = url
    }
}

/// Watches over a walk through pages: it must end, and get somewhere.
package struct PageWalk: Sendable {
    /// How often the same address may come up. An empty page may point to where it was itself.
    static let mostVisits = 3

    private let pageLimit: Int
    private var pages = 0
    private var visits: [Int: Int] = [:]

    /// A walk through at most `pageLimit` pages.
    package init(pageLimit: Int) { self.pageLimit = pageLimit }

    /// The link to follow after `page`; nil at the end. Throws ``GraphFailure`` (`malformedAnswer`) when the
    /// walk goes round in circles or never ends.
    package mutating func follow(_ page: GraphPage) throws(GraphFailure) -> NextLink? {
        guard let next = page.next else { return nil }
        pages += 1
        visits[next.hashValue, default: 0] += 1
        guard pages < pageLimit, visits[next.hashValue]! <= Self.mostVisits else {
            throw GraphFailure(.malformedAnswer, call: "GET (following page)")
        }
        return next
    }
}
