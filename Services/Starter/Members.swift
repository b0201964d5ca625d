import FoundationEssentials
import JSON
import Operations

/// The members of a request's body, read strictly: each by its name and type, and none left over.
///
/// Reading never fails at once. What is wrong is noted and a stand-in returned; ``finish()`` throws everything
/// that was noted. Nothing that was read may be used before.
struct Members {
    private let object: JSONObject
    private var known: Set<String> = []
    private var faults: [Problem.Fault] = []

    /// The most members that are reported as unknown.
    private static let unknownLimit = 20

    /// Takes a body. Nothing at all counts as an object without members.
    init(body: [UInt8]) throws(Problem) {
        guard !body.isEmpty else {
            object = JSONObject()
            return
        }
        let json: JSON
        do { json = try JSON(parsing: body) } catch { throw .notJSON(error) }
        guard let object = json.object else { throw .notAnObject }
        self.object = object
    }

    /// What `read` makes of a body, if nothing was noted and nothing is left over.
    static func read<Value>(_ body: [UInt8], _ read: (inout Members) -> Value) throws(Problem) -> Value {
        var members = try Members(body: body)
        let value = read(&members)
        try members.finish()
        return value
    }

    /// Throws what was noted, and every member that nobody asked for.
    func finish() throws(Problem) {
        let unknown = object.keys.filter { !known.contains($0) }.prefix(Self.unknownLimit).map {
            Problem.Fault(pointer: Self.pointer($0), detail: "is not known here")
        }
        if !(faults + unknown).isEmpty { throw .faulty(faults + unknown) }
    }

    /// A text of 1 to `limit` characters.
    mutating func text(_ name: String, limit: Int) -> String {
        guard let value = required(name) else { return "" }
        guard let text = value.string, Self.fits(text, limit) else {
            return note(name, "must be a text of 1 to \(limit) characters", "")
        }
        return text
    }

    /// An id.
    mutating func id<Subject>(_ name: String) -> Identifier<Subject> {
        guard let value = required(name) else { return Self.nobody() }
        return value.string.flatMap(Identifier.init) ?? note(name, "must be a UUID", Self.nobody())
    }

    /// An id that may be left out or null.
    mutating func optionalID<Subject>(_ name: String) -> Identifier<Subject>? {
        guard let value = take(name), !value.isNull else { return nil }
        return value.string.flatMap(Identifier.init) ?? note(name, "must be a UUID, or left out", nil)
    }

    /// A text of 1 to `limit` characters that may be left out or null.
    mutating func optionalText(_ name: String, limit: Int) -> String? {
        guard let value = take(name), !value.isNull else { return nil }
        guard let text = value.string, Self.fits(text, limit) else {
            return note(name, "must be a text of 1 to \(limit) characters, or left out", nil)
        }
        return text
    }

    /// A moment in UTC with microseconds, as the API tells them; or left out or null.
    mutating func optionalTimestamp(_ name: String) -> Date? {
        guard let value = take(name), !value.isNull else { return nil }
        return Timestamp(json: value)?.date
            ?? note(name, "must be a time such as 2026-11-21T09:48:00.000000Z, or left out", nil)
    }

    /// A whole number in a range that may be left out or null.
    mutating func optionalInteger(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let number = optionalInteger(name) else { return nil }
        guard range.contains(number) else {
            return note(name, "must be from \(range.lowerBound) to \(range.upperBound), or left out", nil)
        }
        return number
    }

    /// Some of the words of `Choice`, at least one; or left out or null.
    mutating func optionalChoices<Choice: RawRepresentable<String> & CaseIterable & Hashable>(
        _ name: String
    ) -> Set<Choice>? {
        guard let value = take(name), !value.isNull else { return nil }
        let choices = value.array?.map { $0.string.flatMap(Choice.init) } ?? []
        guard !choices.isEmpty, !choices.contains(nil) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            return note(name, "must be a list of some of \(words), or left out", nil)
        }
        return Set(choices.compactMap(\.self))
    }

    /// Ids, at least one and at most `limit`; or left out or null.
    mutating func optionalIDs<Subject>(_ name: String, limit: Int) -> Set<Identifier<Subject>>? {
        guard let value = take(name), !value.isNull else { return nil }
        let ids: [Identifier<Subject>?] = value.array?.map { $0.string.flatMap(Identifier.init) } ?? []
        guard (1...limit).contains(ids.count), ids.allSatisfy({ $0 != nil }) else {
            return note(name, "must be a list of 1 to \(limit) UUIDs, or left out", nil)
        }
        return Set(ids.compactMap(\.self))
    }

    /// A whole number that may be left out or null.
    mutating func optionalInteger(_ name: String) -> Int? {
        guard let value = take(name), !value.isNull else { return nil }
        return value.integer ?? note(name, "must be a whole number, or left out", nil)
    }

    /// Any value, which somebody else judges; nil when it is left out.
    mutating func optionalValue(_ name: String) -> JSON? { take(name) }

    /// `true` or `false`.
    mutating func bool(_ name: String) -> Bool {
        guard let value = required(name) else { return false }
        return value.bool ?? note(name, "must be true or false", false)
    }

    /// `true` or `false`, which may be left out and is `false` then.
    mutating func optionalBool(_ name: String) -> Bool {
        guard let value = take(name), !value.isNull else { return false }
        return value.bool ?? note(name, "must be true or false, or left out", false)
    }

    /// One of the words of `Choice`.
    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String) -> Choice {
        let standIn = Choice.allCases.first!
        guard let value = required(name) else { return standIn }
        let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return value.string.flatMap(Choice.init) ?? note(name, "must be one of \(words)", standIn)
    }

    /// As the database counts characters; it knows no NUL.
    private static func fits(_ text: String, _ limit: Int) -> Bool {
        (1...limit).contains(text.unicodeScalars.count) && !text.utf8.contains(0)
    }

    private mutating func take(_ name: String) -> JSON? {
        known.insert(name)
        return object[name]
    }

    private mutating func required(_ name: String) -> JSON? {
        if let value = take(name) { return value }
        return note(name, "is missing", nil)
    }

    private mutating func note<Value>(_ name: String, _ detail: String, _ standIn: Value) -> Value {
        faults.append(Problem.Fault(pointer: Self.pointer(name), detail: detail))
        return standIn
    }

    /// A JSON pointer (RFC 6901) to a member of the document.
    private static func pointer(_ name: String) -> String {
        var text = "/"
        for character in name {
            switch character {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.append(character)
            }
        }
        return text
    }

    private static func nobody<Subject>() -> Identifier<Subject> {
        Identifier(UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
    }
}
