import JSON

/// Values that Intune keeps encrypted: it stores them on a write and shows a mask or a token ever after.
struct PolicySecrets: Sendable {
    static let mask = "****"

    /// What references and tokens follow from.
    let draws: Draws
    /// The plain text behind a token of this tenant; nil when there is none.
    let known: @Sendable (String) -> String?
    /// The plain texts that were taken in, by their reference or token.
    private(set) var plain: [String: String] = [:]

    init(draws: Draws, known: @escaping @Sendable (String) -> String?) {
        self.draws = draws
        self.known = known
    }

    // MARK: OMA-URI

    /// The types whose values are encrypted; numbers and flags are not.
    private static let encrypted = ["omaSettingString", "omaSettingStringXml", "omaSettingBase64"]
    private static let types =
        encrypted + [
            "omaSettingInteger", "omaSettingBoolean", "omaSettingDateTime", "omaSettingFloatingPoint",
        ]

    /// The settings as they are stored. A mask that is written back is taken for the new value.
    mutating func masked(omaSettings: JSON) throws(GraphRefusal) -> JSON {
        var stored: [JSON] = []
        for element in omaSettings.array ?? [] { stored.append(try masked(omaSetting: element)) }
        return .array(stored)
    }

    private mutating func masked(omaSetting json: JSON) throws(GraphRefusal) -> JSON {
        guard var setting = json.object else { throw .gateway("An omaSetting must be an object.") }
        let type = String((setting["@odata.type"]?.string ?? "").dropFirst("#microsoft.graph.".count))
        guard Self.types.contains(type) else {
            throw .gateway(
                "The type of an omaSetting is absent or not known: '\(type.prefix(128))'.")
        }
        let known = [
            "displayName", "description", "omaUri", "value", "fileName", "isReadOnly", "isEncrypted",
            "secretReferenceValueId",
        ]
        if let other = setting.keys.first(where: { !known.contains($0) && !$0.contains("@") }) {
            throw .unknownProperty(other, on: type)
        }
        guard let uri = setting["omaUri"]?.string, uri.hasPrefix("./") else {
            throw .service("The OMA-URI is not valid.")
        }
        setting["isEncrypted"] = .bool(Self.encrypted.contains(type))
        setting["secretReferenceValueId"] = .null
        if Self.encrypted.contains(type) {
            let index = plain.count
            let reference = (0..<3).map { draws.guid(UInt64(700 + 3 * index + $0)).description }
            let id = reference.joined(separator: "_")
            plain[id] = setting["value"]?.string ?? ""
            setting["secretReferenceValueId"] = .string(id)
            setting["value"] = .string(Self.mask)
        }
        return .object(setting)
    }

    // MARK: Settings catalogue

    private static let secretType = "#microsoft.graph.deviceManagementConfigurationSecretSettingValue"

    /// The value with each secret inside it replaced by its token. A token that this tenant did not issue is
    /// refused: it can't be restored elsewhere.
    mutating func sealed(_ value: JSON) throws(GraphRefusal) -> JSON {
        switch value {
        case .array(let elements):
            var sealed: [JSON] = []
            for element in elements { sealed.append(try self.sealed(element)) }
            return .array(sealed)
        case .object(let object) where object["@odata.type"]?.string == Self.secretType:
            return .object(try sealed(secret: object))
        case .object(let object):
            var sealed = object
            for (key, member) in object.members {
                if member.array == nil, member.object == nil { continue }
                sealed[key] = try self.sealed(member)
            }
            return .object(sealed)
        case .null, .bool, .integer, .number, .string: return value
        }
    }

    private mutating func sealed(secret: JSONObject) throws(GraphRefusal) -> JSONObject {
        guard let text = secret["value"]?.string else { throw .service("A secret setting needs a value.") }
        var secret = secret
        switch secret["valueState"]?.string {
        case "notEncrypted":
            let token = draws.guid(UInt64(800 + plain.count)).description
            plain[token] = text
            secret["value"] = .string(token)
            secret["valueState"] = "encryptedValueToken"
        case "encryptedValueToken":
            guard let found = plain[text] ?? known(text) else {
                throw .service("The encrypted value token of a secret setting is not valid in this tenant.")
            }
            plain[text] = found
        default: throw .service("The valueState of a secret setting must be notEncrypted.")
        }
        return secret
    }
}
