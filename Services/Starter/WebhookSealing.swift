import Crypto
import FoundationEssentials
import Operations
import Sealing
import Store

/// Seals what only the notifier may read of a webhook. Whoever seals can't open: the private key is the notifier's.
struct WebhookSealing: Sendable {
    let publicKey: SealingPublicKey
    /// For development: addresses with plain HTTP.
    let allowsHTTP: Bool
    /// Makes ids in the order of time.
    let makeID: @Sendable () -> UUID

    func address(_ address: WebhookAddress, of webhook: WebhookID, in workspace: WorkspaceID) throws
        -> SealedValue
    {
        try seal(
            Secret(Array(address.text.utf8)),
            .webhookAddress(workspace: workspace.uuid, webhook: webhook.uuid))
    }

    func key(
        _ secret: WebhookSecret, number: Int, of webhook: WebhookID, in workspace: WorkspaceID
    ) throws -> NewWebhook.NewKey {
        NewWebhook.NewKey(
            secret: try seal(
                secret.text, .webhookKey(workspace: workspace.uuid, webhook: webhook.uuid, number: number)),
            publicKey: secret.publicKey)
    }

    private func seal(_ value: Secret, _ context: SealingContext) throws -> SealedValue {
        let sealed = try Sealer(publicKey: publicKey).seal(value, context)
        return SealedValue(keyID: "\(sealed.keyID)", bytes: sealed.bytes)
    }
}

/// A new signing key of a webhook, in the text forms of the Standard Webhooks.
struct WebhookSecret: Sendable {
    private static let secretBytes = 32

    /// `whsec_…` or `whsk_…`.
    let text: Secret
    /// `whpk_…`; nil where both sides hold the same secret.
    let publicKey: String?

    /// From the system's randomness.
    static func random(_ signing: WebhookSigning) -> WebhookSecret {
        switch signing {
        case .hmacSHA256:
            let bytes = SymmetricKey(size: SymmetricKeySize(bitCount: 8 * secretBytes)).withUnsafeBytes {
                Data($0)
            }
            return WebhookSecret(
                text: Secret(Array("whsec_\(bytes.base64EncodedString())".utf8)), publicKey: nil)
        case .ed25519:
            let key = Curve25519.Signing.PrivateKey()
            return WebhookSecret(
                text: Secret(Array("whsk_\(key.rawRepresentation.base64EncodedString())".utf8)),
                publicKey: "whpk_\(key.publicKey.rawRepresentation.base64EncodedString())")
        }
    }

    /// What the receiver has to be given and nobody else; nil where the public key is enough. To be shown this once.
    func reveal() -> String? { publicKey == nil ? text.reveal { String(decoding: $0, as: UTF8.self) } : nil }
}
