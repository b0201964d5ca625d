import JSON

/// The members of a JSON object that the control surface reads, each checked for type and limits. What is
/// left unread at the end is a misspelling, and refused.
struct ControlBody {
    /// The longest text that is accepted, in UTF-8 bytes.
    static let textLimit = 1_000

    private var members: JSONObject

    init(_ bytes: [UInt8]) throws(ControlFailure) {
        let value: JSON
        do { value = try JSON(parsing: bytes) } catch { throw ControlFailure("The body is \(error).") }
        try self.init(value)
    }

    init(_ value: JSON) throws(ControlFailure) {
        guard let members = value.object else { throw ControlFailure("The body must be a JSON object.") }
        self.members = members
    }

    /// Takes a member out; `null` counts as absent.
    private mutating func take(_ name: String) -> JSON? {
        defer { members[name] = nil }
        return members[name].flatMap { $0.isNull ? nil : $0 }
    }

    mutating func text(_ name: String) throws(ControlFailure) -> String? {
        guard let value = take(name) else { return nil }
        guard let text = value.string, text.utf8.count <= Self.textLimit else {
            throw ControlFailure("'\(name)' must be a text of at most \(Self.textLimit) bytes.")
        }
        return text
    }

    mutating func flag(_ name: String) throws(ControlFailure) -> Bool? {
        guard let value = take(name) else { return nil }
        guard let flag = value.bool else { throw ControlFailure("'\(name)' must be true or false.") }
        return flag
    }

    mutating func number(_ name: String, _ range: ClosedRange<Int>) throws(ControlFailure) -> Int? {
        guard let value = take(name) else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw ControlFailure(
                "'\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    mutating func required(_ name: String, _ range: ClosedRange<Int>) throws(ControlFailure) -> Int {
        guard let number = try number(name, range) else { throw ControlFailure("'\(name)' is missing.") }
        return number
    }

    /// Names of application permissions that the sandbox knows.
    mutating func roles(_ name: String) throws(ControlFailure) -> [String]? {
        guard let value = take(name) else { return nil }
        guard let roles = value.array?.map(\.string), !roles.contains(nil) else {
            throw ControlFailure("'\(name)' must be an array of permission names.")
        }
        for role in roles.compactMap({ $0 }) where AppRole.all[role] == nil {
            throw ControlFailure("'\(name)' names an unknown permission. GET /_sandbox/roles lists them.")
        }
        return roles.compactMap { $0 }
    }

    /// X.509 certificates with RSA keys, each in PEM.
    mutating func certificates(_ name: String) throws(ControlFailure) -> [RegisteredCertificate]? {
        guard let texts = try array(name) else { return nil }
        let certificates = texts.map { $0.string.flatMap(RegisteredCertificate.init(pem:)) }
        guard certificates.count <= RegisteredCertificate.limit, !certificates.contains(nil) else {
            throw ControlFailure(
                "'\(name)' must be at most \(RegisteredCertificate.limit) certificates with RSA keys, in PEM."
            )
        }
        return certificates.compactMap(\.self)
    }

    /// A nested object, read the same way.
    mutating func object(_ name: String) throws(ControlFailure) -> ControlBody? {
        guard let value = take(name) else { return nil }
        guard value.object != nil else { throw ControlFailure("'\(name)' must be an object.") }
        return try ControlBody(value)
    }

    mutating func array(_ name: String) throws(ControlFailure) -> [JSON]? {
        guard let value = take(name) else { return nil }
        guard let array = value.array else { throw ControlFailure("'\(name)' must be an array.") }
        return array
    }

    /// Refuses members that nobody asked for.
    func refuseUnread() throws(ControlFailure) {
        guard let name = members.keys.first else { return }
        throw ControlFailure("Unknown member '\(name.prefix(64))'.")
    }
}
