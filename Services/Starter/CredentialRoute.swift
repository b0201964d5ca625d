import Credentials
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Sealing
import Store

/// Setting and rotating the credential of a connection. It is sealed here and can't be opened here: whoever lost it has
/// to set a new one.
struct CredentialRoute: Sendable {
    let changes: CredentialChanges
    let tenants: TenantReading
    let access: AccessReading
    /// Nil where none is configured: then no credential can be set.
    let key: SealingPublicKey?

    func set(_ id: ConnectionID, _ call: Call) async throws -> Answer {
        let wish = try await call.read(Wish.init)
        let place = try await Access(of: call.caller, at: .connection(id), access)
        try place.require(.providerManage)
        guard let tenant = place.tenant else { throw Problem.notFound }
        guard let key else { throw Problem.noCredentialKey }
        let (credential, expiresAt) = try wish.credential(now: Date())
        let version = try await changes.next(of: id, tenant: tenant, in: place.workspace).version
        let sealed = try Sealer(publicKey: key).seal(
            credential.payload,
            .providerCredential(tenant: tenant.uuid, connection: id.uuid, version: version))
        var thumbprint: [UInt8]?
        if case .certificate(let certificate) = credential { thumbprint = certificate.thumbprint }
        let new = NewCredential(
            version: version, kind: credential.kind.rawValue, keyID: "\(sealed.keyID)", sealed: sealed.bytes,
            thumbprint: thumbprint, expiresAt: expiresAt)
        let answer = try await changes.set(
            new, of: id, tenant: tenant, in: place.workspace, by: call.caller.userID)
        switch answer {
        case .set(let barrier): return try await self.answer(id, barrier, isFirst: version == 1)
        case .stale: throw Problem.anotherCredential
        }
    }

    private func answer(_ id: ConnectionID, _ barrier: BarrierAnswer?, isFirst: Bool) async throws -> Answer {
        guard let credential = try await tenants.connection(id)?.credential else { throw Problem.notFound }
        let members = [("credential", credential.json)]
        if let barrier { return barrier.answer(with: members) }
        return .json(isFirst ? .created : .ok, .object(JSONObject(members)))
    }

    /// What was asked, not judged yet.
    private struct Wish {
        let kind: ProviderCredential.Kind
        let secret: String?
        let certificate: String?
        let privateKey: String?
        let expiresAt: Date?
        let isMixed: Bool

        init(_ members: inout Members) {
            kind = members.choice("kind")
            secret = members.optionalText("client_secret", limit: ProviderCredential.secretLimit)
            certificate = members.optionalText("certificate", limit: CertificateCredential.textLimit)
            privateKey = members.optionalText("private_key", limit: CertificateCredential.textLimit)
            expiresAt = members.optionalTimestamp("expires_at")
            isMixed =
                kind == .clientSecret
                ? certificate != nil || privateKey != nil : secret != nil || expiresAt != nil
        }

        /// Throws a ``Problem`` that names the member, and nothing of what it holds.
        func credential(now: Date) throws -> (ProviderCredential, expiresAt: Date?) {
            guard !isMixed else {
                throw Problem.faulty([
                    .init(pointer: "/kind", detail: "does not go with the other members")
                ])
            }
            switch kind {
            case .clientSecret:
                guard let secret else { throw Self.fault("client_secret", "is missing") }
                if let expiresAt, expiresAt <= now { throw Self.fault("expires_at", "is in the past") }
                do { return (try ProviderCredential(clientSecret: secret), expiresAt) } catch {
                    throw Self.fault("client_secret", error.description)
                }
            case .certificate:
                guard let certificate else { throw Self.fault("certificate", "is missing") }
                guard let privateKey else { throw Self.fault("private_key", "is missing") }
                do {
                    let accepted = try CertificateCredential.accept(
                        certificates: certificate, privateKey: Secret(Array(privateKey.utf8)), now: now)
                    return (.certificate(accepted.credential), accepted.expiresAt)
                } catch {
                    let member =
                        switch error {
                        case .notAPrivateKey, .keyOfAnotherCertificate: "private_key"
                        case .notASecret, .keyMissing, .notACertificate, .notValidNow: "certificate"
                        }
                    throw Self.fault(member, error.description)
                }
            }
        }

        private static func fault(_ member: String, _ detail: String) -> Problem {
            .faulty([.init(pointer: "/\(member)", detail: detail)])
        }
    }
}

extension Problem {
    fileprivate static let noCredentialKey = Problem(
        status: .serviceUnavailable,
        detail: "Credentials can't be set here: the platform engineer has to give the Starter"
            + " CREDENTIAL_PUBLIC_KEY.",
        reasonCode: "credential_key_missing", isRetryable: false)

    fileprivate static let anotherCredential = Problem.conflict(
        "Somebody else set a credential at the same moment. Look which one is right, then set it again.",
        reasonCode: "changed_meanwhile")
}
