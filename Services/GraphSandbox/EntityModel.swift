import JSON

/// What a property may hold.
enum PropertyKind: Sendable, Hashable {
    case text, flag, number, date, texts, object, objects
    /// Standard base64.
    case binary
    /// One of these words.
    case word([String])
    /// Words of this list, joined by commas.
    case words([String])

    /// Whether `value` is of this kind. Null always is: it clears.
    func fits(_ value: JSON) -> Bool {
        switch (self, value) {
        case (_, .null), (.flag, .bool), (.number, .integer), (.number, .number), (.object, .object): true
        case (.text, .string): true
        case (.date, .string(let text)): GraphDate(text) != nil
        case (.texts, .array(let elements)): elements.allSatisfy { $0.string != nil }
        case (.objects, .array(let elements)): elements.allSatisfy { $0.object != nil }
        case (.binary, .string(let text)): Self.isBase64(text)
        case (.word(let words), .string(let text)): words.contains(text)
        case (.words(let words), .string(let text)):
            text.split(separator: ",").allSatisfy { words.contains(String($0)) } && !text.isEmpty
        default: false
        }
    }

    private static func isBase64(_ text: String) -> Bool {
        let body = text.utf8.prefix { $0 != UInt8(ascii: "=") }
        let padding = text.utf8.dropFirst(body.count)
        return text.utf8.count % 4 == 0 && padding.count <= 2
            && padding.allSatisfy { $0 == UInt8(ascii: "=") }
            && body.allSatisfy {
                Unicode.Scalar($0).properties.isAlphabetic && $0 < 128
                    || "0123456789+/".utf8.contains($0)
            }
    }
}

/// The properties of the documents of one set: the base type, and what the subtypes add.
struct EntityModel: Sendable {
    /// A type that derives from the base.
    struct Subtype: Sendable {
        let name: String
        /// Whether v1.0 knows the type. Where it doesn't, its documents show as the base type.
        var isInV1 = true
        let properties: [String: PropertyKind]
    }

    /// The base type's name, without `#microsoft.graph.`.
    let name: String
    /// Properties that a client may write.
    let writable: [String: PropertyKind]
    /// Properties that only the service writes. In a body they are ignored.
    let readOnly: Set<String>
    /// Properties that v1.0 doesn't have.
    var betaOnly: Set<String> = []
    /// Not empty exactly when the base type is abstract: then `@odata.type` decides.
    var subtypes: [Subtype] = []
    /// The property that must not be absent or empty in a create.
    var title = "displayName"

    var isAbstract: Bool { !subtypes.isEmpty }

    /// The subtype called `type` (with its prefix) in this version.
    func subtype(_ type: String, in version: GraphVersion) -> Subtype? {
        subtypes.first { "#microsoft.graph.\($0.name)" == type && (version == .beta || $0.isInV1) }
    }

    /// Whether `$select` may name it: a property of the base or of any subtype.
    func knows(_ property: String, in version: GraphVersion) -> Bool {
        property == "id" || kind(of: property, nil, in: version) != nil
            || readOnly.contains(property) && exists(property, in: version)
            || subtypes.contains {
                $0.properties[property] != nil && (version == .beta || $0.isInV1)
            }
    }

    /// The kind of a property that a client may write; nil when there is none of that name.
    func kind(of property: String, _ subtype: Subtype?, in version: GraphVersion) -> PropertyKind? {
        guard exists(property, in: version) else { return nil }
        return writable[property] ?? subtype?.properties[property]
    }

    /// Whether the service writes it and clients may send it back without effect.
    func isIgnored(_ property: String, in version: GraphVersion) -> Bool {
        property == "id" || readOnly.contains(property) && exists(property, in: version)
    }

    private func exists(_ property: String, in version: GraphVersion) -> Bool {
        version == .beta || !betaOnly.contains(property)
    }
}
