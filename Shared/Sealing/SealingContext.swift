package import FoundationEssentials

/// What a sealed value is for and whom it belongs to. It is authenticated with the value: a sealed value that
/// was moved to another row, or kept from an earlier version, does not open.
package struct SealingContext: Sendable, Hashable {
    /// Separates the uses of one key pair.
    let purpose: String
    /// Who it belongs to, in a fixed order.
    let owner: [String]

    /// The credential of a provider connection. `version` counts the credentials that the connection has had.
    package static func providerCredential(tenant: UUID, connection: UUID, version: Int) -> SealingContext {
        SealingContext(
            purpose: "provider-credential", owner: [text(tenant), text(connection), String(version)])
    }

    /// The key with which notifications to a person's or system's webhook are signed.
    package static func webhookSecret(workspace: UUID, user: UUID) -> SealingContext {
        SealingContext(purpose: "webhook-secret", owner: [text(workspace), text(user)])
    }

    private static func text(_ id: UUID) -> String { id.uuidString.lowercased() }

    /// What the key derivation is bound to.
    var information: Data { Data("TenantAtlas sealing 1: \(purpose)".utf8) }

    /// The owner's parts, each after its length, so that no two owners give the same bytes.
    var associatedData: Data {
        var data = Data()
        for part in [purpose] + owner {
            data.append(contentsOf: withUnsafeBytes(of: UInt32(part.utf8.count).bigEndian) { Array($0) })
            data.append(contentsOf: part.utf8)
        }
        return data
    }
}
