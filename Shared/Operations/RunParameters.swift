package import JSON

/// What a start asks of an operation beyond its name: a JSON object, whose members each operation names itself.
/// Written once, with the run; nil when there is none.
package enum RunParameters {
    /// The longest that are accepted, in bytes of their compact text.
    package static let byteLimit = 32 * 1_024

    /// One thing that is wrong, by its JSON pointer (RFC 6901) within the parameters.
    package struct Fault: Sendable, Hashable {
        package let pointer: String
        /// Completes «The member …».
        package let detail: String

        package init(pointer: String, detail: String) {
            self.pointer = pointer
            self.detail = detail
        }
    }

    /// Everything that is wrong.
    package struct Refusal: Error, Hashable {
        package let faults: [Fault]
    }

    /// The parameters in the one form in which they are stored and compared; nil when there are none.
    package static func accept(_ json: JSON?, for type: OperationType) throws(Refusal) -> JSON? {
        if let json, json.bytes.count > byteLimit {
            throw Refusal(faults: [Fault(pointer: "", detail: "must have at most \(byteLimit) bytes")])
        }
        switch type {
        case .backupRun: return try BackupParameters(json).json
        case .restoreExecute, .restoreAssignments: return try RestoreParameters(json, for: type).json
        case .policyBulkAssign, .policyBulkDelete, .deviceBulkSync:
            return try BulkParameters(json, for: type).json
        case .connectionCheck, .complianceSnapshot, .inventorySync, .policySync:
            try ParameterReading(json).finish()
            return nil
        }
    }

    /// Whether stored parameters are those that a request asks for.
    package static func isSame(_ stored: JSON?, as request: StartRequest) -> Bool {
        guard let type = OperationType(rawValue: request.operation) else { return false }
        do {
            // The database keeps no order of members.
            return try accept(request.parameters, for: type)?.canonicalBytes == stored?.canonicalBytes
        } catch {
            return false
        }
    }
}

/// The parameters of `backup.run`: `{"kinds": ["device_configuration", …]}`.
package struct BackupParameters: Sendable, Hashable {
    /// What is backed up, in the order of ``PolicyKind``; all kinds when none were named.
    package let kinds: [PolicyKind]
    /// As they are stored: without a choice, nothing.
    package let json: JSON?

    package init(_ json: JSON?) throws(RunParameters.Refusal) {
        var reading = ParameterReading(json)
        let named: Set<PolicyKind>? = reading.words("kinds")
        try reading.finish()
        let kinds = PolicyKind.allCases.filter { named?.contains($0) ?? true }
        self.kinds = kinds
        self.json = named.map { _ in ["kinds": .array(kinds.map { .string($0.rawValue) })] }
    }
}

/// Parameters, read strictly: each member by its name and type, and none left over. What is wrong is noted, and
/// thrown by ``finish()``; nothing that was read may be used before.
struct ParameterReading {
    /// The most members that are reported as unknown.
    private static let unknownLimit = 20

    private let object: JSONObject
    /// Where the object stands within the parameters, as a JSON pointer.
    private let place: String
    private var known: Set<String> = []
    private var faults: [RunParameters.Fault] = []

    /// Nothing and `null` count as an object without members.
    init(_ json: JSON?, at place: String = "") {
        self.place = place
        object = json?.object ?? JSONObject()
        if let json, !json.isNull, json.object == nil { note("", "must be an object") }
    }

    /// The names of all members.
    var names: [String] { object.keys }

    /// Any value; nil when it is left out or null.
    mutating func value(_ name: String) -> JSON? {
        known.insert(name)
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    /// What `read` makes of an object inside; nil when it is left out or null.
    mutating func object<Value>(_ name: String, _ read: (inout ParameterReading) -> Value) -> Value? {
        guard let value = value(name) else { return nil }
        var reading = ParameterReading(value, at: place + Self.pointer(name))
        let result = read(&reading)
        faults += reading.faults + reading.unknown
        return result
    }

    /// Different words of `Word`, at least one, in any order; nil when the member is left out or null.
    mutating func words<Word: RawRepresentable<String> & CaseIterable & Hashable>(_ name: String) -> Set<
        Word
    >? {
        known.insert(name)
        guard let value = object[name], !value.isNull else { return nil }
        let pointer = Self.pointer(name)
        guard let elements = value.array, (1...Word.allCases.count).contains(elements.count) else {
            note(pointer, "must be a list of 1 to \(Word.allCases.count) words")
            return nil
        }
        let choice = Word.allCases.map(\.rawValue).joined(separator: ", ")
        var words: Set<Word> = []
        for (position, element) in elements.enumerated() {
            guard let word = element.string.flatMap(Word.init) else {
                note("\(pointer)/\(position)", "must be one of \(choice)")
                continue
            }
            if !words.insert(word).inserted { note("\(pointer)/\(position)", "stands there already") }
        }
        return words
    }

    /// One word of `Word`; nil when the member is left out or null, unless it `isNeeded`.
    mutating func word<Word: RawRepresentable<String> & CaseIterable>(
        _ name: String, isNeeded: Bool = false
    ) -> Word? {
        known.insert(name)
        let value = object[name] ?? .null
        if value.isNull, !isNeeded { return nil }
        let word = value.string.flatMap(Word.init)
        if word == nil {
            let choice = Word.allCases.map(\.rawValue).joined(separator: ", ")
            note(Self.pointer(name), "must be one of \(choice)")
        }
        return word
    }

    /// An id, which is needed.
    mutating func id<Subject>(_ name: String) -> Identifier<Subject>? {
        known.insert(name)
        let id: Identifier<Subject>? = object[name]?.string.flatMap { Identifier($0) }
        if id == nil { note(Self.pointer(name), "must be a UUID") }
        return id
    }

    /// 1 to `limit` different ids, in any order, or nil for the word `all`. One of the two is needed.
    mutating func ids<Subject>(_ name: String, orAll all: String, limit: Int) -> [Identifier<Subject>]? {
        known.insert(name)
        let pointer = Self.pointer(name)
        if object[name]?.string == all { return nil }
        guard let elements = object[name]?.array, (1...limit).contains(elements.count) else {
            note(pointer, "must be «\(all)», or a list of 1 to \(limit) UUIDs")
            return nil
        }
        var ids: Set<Identifier<Subject>> = []
        for (position, element) in elements.enumerated() {
            guard let id: Identifier<Subject> = element.string.flatMap({ Identifier($0) }) else {
                note("\(pointer)/\(position)", "must be a UUID")
                continue
            }
            if !ids.insert(id).inserted { note("\(pointer)/\(position)", "stands there already") }
        }
        return ids.sorted { "\($0)" < "\($1)" }
    }

    /// Throws what was noted, and every member that nobody asked for.
    func finish() throws(RunParameters.Refusal) {
        let unknown = unknown
        if !(faults + unknown).isEmpty { throw RunParameters.Refusal(faults: faults + unknown) }
    }

    private var unknown: [RunParameters.Fault] {
        object.keys.filter { !known.contains($0) }.prefix(Self.unknownLimit).map {
            RunParameters.Fault(pointer: place + Self.pointer($0), detail: "is not known here")
        }
    }

    /// Notes what is wrong at a place below the object.
    mutating func note(_ pointer: String, _ detail: String) {
        faults.append(RunParameters.Fault(pointer: place + pointer, detail: detail))
    }

    static func pointer(_ name: String) -> String {
        "/" + name.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
