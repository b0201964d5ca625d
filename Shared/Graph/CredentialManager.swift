internal import Credentials
internal import Operations
internal import Sealing
internal import Store

/// Opens the credentials of connections. Only the gateway has one.
struct CredentialManager: Sendable {
    private let opener: Opener

    init(opener: Opener) { self.opener = opener }

    /// The credential of a connection. Throws ``GraphFailure`` when there is none, when it can't be opened, or when a
    /// required key is missing in it.
    func credential(of connection: ProviderConnection) throws(GraphFailure) -> OpenCredential {
        guard let stored = connection.credential else {
            throw GraphFailure(.credentialInvalid, call: Self.call, code: "credential_missing")
        }
        let payload = try open(stored, of: connection)
        do {
            return OpenCredential(
                version: stored.version, credential: try ProviderCredential(payload: payload))
        } catch CredentialFault.keyMissing {
            throw GraphFailure(.credentialInvalid, call: Self.call, code: "credential_incomplete")
        } catch {
            throw GraphFailure(.credentialInvalid, call: Self.call, code: "credential_unusable")
        }
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

/// A credential in the clear, and which of the connection's it is.
struct OpenCredential: Sendable {
    let version: Int
    let credential: ProviderCredential
}

/// A person has set another credential since the one was opened that a call was to be made with. The call was not made.
struct CredentialReplaced: Error {}
