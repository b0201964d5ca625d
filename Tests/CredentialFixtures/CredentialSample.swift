package import Credentials
internal import FoundationEssentials
package import Operations
package import Postgres
package import Sealing
package import Store

/// Sets credentials in a test's database, as people do.
package enum CredentialSample {
    /// The connection's credential was set meanwhile.
    package struct Stale: Error {}

    /// Seals a credential as the connection's next one.
    @discardableResult
    package static func set(
        _ credential: ProviderCredential, key: SealingPublicKey, on connection: ConnectionID,
        of tenant: TenantID, in workspace: WorkspaceID, by user: UserID? = nil, _ pool: PostgresPool
    ) async throws -> Int {
        var thumbprint: [UInt8]?
        if case .certificate(let certificate) = credential { thumbprint = certificate.thumbprint }
        return try await set(
            credential.payload, kind: credential.kind, thumbprint, key: key, on: connection, of: tenant,
            in: workspace, by: user, pool)
    }

    /// Seals any payload as the connection's next client secret.
    @discardableResult
    package static func set(
        _ payload: [UInt8], key: SealingPublicKey, on connection: ConnectionID, of tenant: TenantID,
        in workspace: WorkspaceID, by user: UserID? = nil, _ pool: PostgresPool
    ) async throws -> Int {
        try await set(
            Secret(payload), kind: .clientSecret, nil, key: key, on: connection, of: tenant, in: workspace,
            by: user, pool)
    }

    /// Returns the version that it got.
    private static func set(
        _ payload: Secret, kind: ProviderCredential.Kind, _ thumbprint: [UInt8]?, key: SealingPublicKey,
        on connection: ConnectionID, of tenant: TenantID, in workspace: WorkspaceID, by user: UserID?,
        _ pool: PostgresPool
    ) async throws -> Int {
        let changes = CredentialChanges(pool: pool)
        let version = try await changes.next(of: connection, tenant: tenant, in: workspace).version
        let sealed = try Sealer(publicKey: key).seal(
            payload,
            .providerCredential(tenant: tenant.uuid, connection: connection.uuid, version: version))
        let answer = try await changes.set(
            NewCredential(
                version: version, kind: kind.rawValue, keyID: "\(sealed.keyID)", sealed: sealed.bytes,
                thumbprint: thumbprint),
            of: connection, tenant: tenant, in: workspace, by: user)
        if case .stale = answer { throw Stale() }
        return version
    }
}

/// A provider connection for a test, with everything that people say about one; change what the test is about.
package struct ConnectionSample: Sendable {
    package var new: ConnectionChanges.New

    /// A connection in the sandbox's cloud to an Entra tenant and application of its own.
    package init(on tenant: TenantID) {
        let id = UUID().uuidString.lowercased()
        new = ConnectionChanges.New(
            tenant: tenant, displayName: "Connection \(id.prefix(4))", cloud: "sandbox", entraTenantID: id,
            entraTenantName: "Tenant \(id.prefix(4))", clientID: UUID().uuidString.lowercased(),
            isDefault: false)
    }

    /// Makes it.
    package func make(in workspace: WorkspaceID, _ pool: PostgresPool) async throws -> ConnectionID {
        switch try await ConnectionChanges(pool: pool, makeID: { UUID() })
            .create(new, in: workspace, by: .system)
        {
        case .created(let id), .exists(let id): return id
        case .tooMany: throw CredentialSample.Stale()
        }
    }
}
