internal import Crypto
package import JSON

/// A policy in its canonical form: equal policies have equal bytes, whenever and in whatever order they were read.
///
/// Left out are the policy's id, what moves by itself, and annotations but for types; parts that are sets are
/// sorted. Secrets are masked: a backup can't bring them back, and must not hold them.
package struct PolicyDocument: Sendable, Hashable {
    /// What stands in the place of a secret, as the provider writes it.
    package static let mask = "****"

    /// Canonical JSON in UTF-8.
    package let content: [UInt8]
    /// SHA-256 of the content.
    package let hash: [UInt8]
    /// How many secrets are masked.
    package let secrets: Int

    /// The canonical form of what was read of a policy with all its parts.
    package init(_ policy: JSONObject, of surface: PolicySurface) {
        var form = CanonicalForm()
        content = form.policy(policy, surface).canonicalBytes
        hash = Array(SHA256.hash(data: content))
        secrets = form.secrets
    }

    /// A fingerprint of what a list shows of a policy, without the parts that lists may bring along. The moment of
    /// the last change counts here: a list leaves out much that may have changed with it.
    package static func listedHash(_ policy: JSONObject) -> [UInt8] {
        var form = CanonicalForm()
        let shown = form.value(.object(policy.dropping { CanonicalForm.parts.keys.contains($0) }))
        return Array(SHA256.hash(data: shown.canonicalBytes))
    }
}

/// Rewrites documents, and counts the secrets that it masks.
private struct CanonicalForm {
    /// The parts that are sets, with the members that are dropped from their elements, and from the elements of
    /// the sets inside.
    static let parts: [String: Set<String>] = [
        "assignments": ["id"],
        "settings": ["id", "settingDefinitions"],
        "apps": ["id", "version"],
        "scheduledActionsForRule": ["id"],
        "scheduledActionConfigurations": ["id"],
    ]
    /// Members that hold a secret in whatever object they stand.
    private static let secretNames: Set<String> = [
        "preSharedKey", "sharedSecret", "password", "passphrase", "clientSecret", "privateKey", "pfxPassword",
        "secretReferenceValueId",
    ]

    private(set) var secrets = 0

    mutating func policy(_ policy: JSONObject, _ surface: PolicySurface) -> JSON {
        var object = policy.dropping {
            PolicySurface.alwaysVolatile.contains($0) || surface.volatile.contains($0)
        }
        object = members(of: object)
        // What the service calls the template; the id says which it is.
        if let template = object["templateReference"]?.object {
            object["templateReference"] = .object(
                template.dropping { $0 == "templateDisplayName" || $0 == "templateDisplayVersion" })
        }
        for (name, dropped) in Self.parts {
            guard let elements = object[name]?.array else { continue }
            object[name] = set(elements, without: dropped)
        }
        return .object(object)
    }

    /// The elements in the order of their bytes, secrets masked: a token may be another one at each reading.
    private func set(_ elements: [JSON], without dropped: Set<String>) -> JSON {
        let plain = elements.map { element -> JSON in
            guard var object = element.object?.dropping(dropped.contains) else { return element }
            // Whose a direct assignment is, is said by where it stands.
            if object["source"]?.string == "direct" { object["sourceId"] = nil }
            for (name, dropped) in Self.parts {
                guard let inner = object[name]?.array else { continue }
                object[name] = set(inner, without: dropped)
            }
            return .object(object)
        }
        let keyed = plain.map { ($0.canonicalBytes, $0) }
        return .array(keyed.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1))
    }

    mutating func value(_ value: JSON) -> JSON {
        switch value {
        case .array(let elements):
            var result: [JSON] = []
            result.reserveCapacity(elements.count)
            for element in elements { result.append(self.value(element)) }
            return .array(result)
        case .object(let object): return .object(members(of: object))
        case .null, .bool, .integer, .number, .string: return value
        }
    }

    private mutating func members(of object: JSONObject) -> JSONObject {
        let isSecret = Self.isSecret(object)
        if isSecret { secrets += 1 }
        var result: [(String, JSON)] = []
        for (name, member) in object.members where !Self.isAnnotation(name) {
            if isSecret, name == "value" || name == "secretReferenceValueId" {
                result.append((name, member.isNull ? .null : .string(PolicyDocument.mask)))
            } else if Self.secretNames.contains(name), let text = member.string, !text.isEmpty {
                secrets += 1
                result.append((name, .string(PolicyDocument.mask)))
            } else {
                result.append((name, value(member)))
            }
        }
        return JSONObject(result)
    }

    /// Whether an object is a setting whose value the provider keeps encrypted, or was to.
    private static func isSecret(_ object: JSONObject) -> Bool {
        object["isEncrypted"]?.bool == true || object["secretReferenceValueId"]?.string != nil
            || object["valueState"]?.string != nil
            || object["@odata.type"]?.string?.hasSuffix("SecretSettingValue") == true
    }

    private static func isAnnotation(_ name: String) -> Bool {
        name.utf8.contains(UInt8(ascii: "@")) && !name.hasSuffix("@odata.type")
    }
}

extension JSONObject {
    fileprivate func dropping(_ isDropped: (String) -> Bool) -> JSONObject {
        JSONObject(members.filter { !isDropped($0.key) }.map { ($0.key, $0.value) })
    }
}
