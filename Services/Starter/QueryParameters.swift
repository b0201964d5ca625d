import FoundationEssentials
import Hummingbird
import HummingbirdCore
import JSON
import Operations
import Store

/// The parameters of a request's query, read strictly like a body's ``Members``: what is wrong is noted, and
/// ``finish()`` throws it together with every parameter that is unknown or stands twice.
struct QueryParameters {
    private var values: [String: String] = [:]
    private var given: [(name: String, value: String)] = []
    private var known: Set<String> = []
    private var faults: [Problem.Fault] = []

    /// The most parameters that are looked at.
    private static let limit = 32

    init(_ uri: URI) {
        for (name, value) in uri.queryParameters.prefix(Self.limit) {
            let (name, value) = (String(name), String(value))
            if values.updateValue(value, forKey: name) != nil { note(name, "stands twice") }
            given.append((name, value))
        }
    }

    /// Throws what was noted, and every parameter that nobody asked for.
    func finish() throws(Problem) {
        let unknown = values.keys.filter { !known.contains($0) }.sorted().map {
            Problem.Fault(pointer: "?\($0)", detail: "is not known here")
        }
        if !(faults + unknown).isEmpty { throw .faulty(faults + unknown) }
    }

    /// An id; nil when it was left out.
    mutating func id<Subject>(_ name: String) -> Identifier<Subject>? {
        take(name).flatMap { text in
            let id: Identifier<Subject>? = Identifier(text)
            if id == nil { note(name, "must be a UUID") }
            return id
        }
    }

    /// A text of 1 to `limit` characters; nil when it was left out.
    mutating func text(_ name: String, limit: Int) -> String? {
        take(name).flatMap { text in
            // The database knows no NUL.
            let isFit = (1...limit).contains(text.unicodeScalars.count) && !text.utf8.contains(0)
            if !isFit { note(name, "must have 1 to \(limit) characters, without NUL") }
            return isFit ? text : nil
        }
    }

    /// One of the words of `Choice`; nil when it was left out.
    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String) -> Choice? {
        take(name).flatMap { text in
            let choice = Choice(rawValue: text)
            if choice == nil {
                note(name, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return choice
        }
    }

    /// A moment in the form of RFC 3339; nil when it was left out.
    mutating func timestamp(_ name: String) -> Date? {
        take(name).flatMap { text in
            let date = Timestamp(json: .string(text))?.date ?? (try? Date(text, strategy: .iso8601))
            if date == nil { note(name, "must be a time like 2026-11-21T09:00:00Z") }
            return date
        }
    }

    /// How many entries a page may have: `limit`, 1 to ``Page/limit``, 50 when it was left out.
    mutating func pageLimit() -> Int {
        let most = Page<RunSummary>.limit
        guard let text = take("limit") else { return 50 }
        guard let limit = Int(text), (1...most).contains(limit) else {
            note("limit", "must be a whole number from 1 to \(most)")
            return 1
        }
        return limit
    }

    /// Where a page goes on: `cursor`, as an earlier page of the same list gave it; nil for the first page.
    mutating func cursor(of list: Cursor.List) -> UUID? { place(in: list)?.id }

    /// The same for the items of a run: the key of the last one.
    mutating func itemCursor() -> String? { place(in: .runItems)?.key }

    /// The same for the audit: the number of the last record.
    mutating func auditCursor() -> Int? { place(in: .auditRecords)?.key.flatMap { Int($0) } }

    /// The same for groups: where the last one stands.
    mutating func groupCursor() -> DirectoryReading.Position? { place(in: .groups)?.group }

    private mutating func place(in list: Cursor.List) -> Cursor? {
        take("cursor").flatMap { text in
            let cursor = Cursor(text)
            guard let cursor, cursor.list == list else {
                note("cursor", "must be the «next» of an earlier page of this list, unchanged")
                return nil
            }
            return cursor
        }
    }

    private mutating func take(_ name: String) -> String? {
        known.insert(name)
        return values[name]
    }

    private mutating func note(_ name: String, _ detail: String) {
        faults.append(Problem.Fault(pointer: "?\(name)", detail: detail))
    }
}
