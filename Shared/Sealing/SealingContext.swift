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

    /// The key with which what is sent to a webhook is signed. `number` counts the keys that the webhook has had.
    package static func webhookKey(workspace: UUID, webhook: UUID, number: Int) -> SealingContext {
        SealingContext(purpose: "webhook-key", owner: [text(workspace), text(webhook), String(number)])
    }

    /// The address of a webhook.
    package static func webhookAddress(workspace: UUID, webhook: UUID) -> SealingContext {
        SealingContext(purpose: "webhook-address", owner: [text(workspace), text(webhook)])
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
