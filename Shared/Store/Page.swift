/// One page of a list, and whether another one follows.
package struct Page<Entry: Sendable>: Sendable {
    /// The most entries of one page.
    package static var limit: Int { 200 }

    package let entries: [Entry]
    package let hasMore: Bool

    /// How many rows are read for a page of `limit` entries: one more tells whether another page follows.
    static func rows(for limit: Int) -> Int { min(max(limit, 1), Self.limit) + 1 }

    /// `rows` as they were read for a page of `limit` entries.
    init(rows: [Entry], limit: Int) {
        hasMore = rows.count == Self.rows(for: limit)
        entries = hasMore ? rows.dropLast() : rows
    }
}
