internal import JSON
internal import Operations
internal import Sealing
internal import Store

/// Opens the credentials of connections. Only the gateway has one.
struct CredentialManager: Sendable {
    private let opener: Opener

    init(opener: Opener) { self.opener = opener }

    /// The client secret of a connection. Throws ``GraphFailure`` when there is none, or when it can't be opened.
    func clientSecret(of connection: ProviderConnection) throws(GraphFailure) -> Secret {
        guard let credential = connection.credential else {
            throw GraphFailure(.credentialInvalid, call: Self.call, code: "credential_missing")
        }
        let payload = try open(credential, of: connection)
        let secret = payload.reveal { bytes in (try? JSON(parsing: bytes))?["client_secret"]?.string }
        guard let secret, !secret.isEmpty else {
            throw GraphFailure(.credentialInvalid, call: Self.call, code: "client_secret_missing")
        }
        return Secret(Array(secret.utf8))
    }

    /// What a failure names in place of a provider call: none was made.
    private static let call = "opening the credential"

    private func open(
        _ credential: ProviderConnection.Credential, of connection: ProviderConnection
    ) throws(GraphFailure) -> Secret {
        let context = SealingContext.providerCredential(
            tenant: connection.tenantID.uuid, connection: connection.id.uuid, version: credential.version)
        do {
            return try opener.open(
                Sealed(keyID: KeyID(credential.keyID), bytes: credential.sealed), context)
        } catch SealingError.keyNotHeld {
            // This service is not configured for it: nothing that the tenant's people could change.
            throw GraphFailure(.internalError, call: Self.call, code: "sealing_key_not_held")
        } catch {
            throw GraphFailure(.credentialInvalid, call: Self.call, code: "credential_not_authentic")
        }
    }
}
