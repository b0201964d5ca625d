import Credentials
import FoundationEssentials
import JSON
import JobRuntime
import Operations
import Postgres
import Sealing
import Store
import ServiceKit

/// Fills a database with the demo's world. What is there stays; tokens are new each time.
struct DemoData {
    private static let tokenSeconds = 90 * 86_400

    let pool: PostgresPool
    let key: SealingPublicKey
    let tenants: [DemoWorld.Tenant]

    /// Returns the tokens, in the order of ``DemoWorld/users``.
    func load() async throws -> [BearerToken] {
        let administration = Administration(pool: pool, makeID: UUID.timeOrdered)
        let (workspace, users) = (DemoWorld.workspaceID, DemoWorld.users)
        _ = try await administration.createWorkspace(workspace, name: DemoWorld.workspaceName, by: .system)
        _ = try await administration.createTenants(
            tenants.map { Administration.NewTenant(id: $0.id, name: $0.name) }, in: workspace, by: .system)
        _ = try await administration.createUsers(
            users.map { Administration.NewUser(id: $0.id, name: $0.name, kind: $0.kind) }, in: workspace,
            by: .system)
        _ = try await administration.createMemberships(
            users.map { Administration.NewMembership(user: $0.id, tenant: nil, role: $0.role) },
            in: workspace, by: .system)
        _ = try await administration.createConnections(
            tenants.map { ($0.connectionID, $0.connection) }, in: workspace, by: .system)
        for tenant in tenants { try await setCredential(of: tenant) }
        return try await issueTokens()
    }

    /// Seals the secret anew only when the stored one is none of this key's.
    private func setCredential(of tenant: DemoWorld.Tenant) async throws {
        let changes = CredentialChanges(pool: pool)
        let next = try await changes.next(
            of: tenant.connectionID, tenant: tenant.id, in: DemoWorld.workspaceID)
        guard next.presentKey != "\(key.id)" else { return }
        let credential = try ProviderCredential(clientSecret: tenant.clientSecret)
        let sealed = try Sealer(publicKey: key).seal(
            credential.payload,
            .providerCredential(
                tenant: tenant.id.uuid, connection: tenant.connectionID.uuid, version: next.version))
        let answer = try await changes.set(
            NewCredential(
                version: next.version, kind: credential.kind.rawValue, keyID: "\(sealed.keyID)",
                sealed: sealed.bytes),
            of: tenant.connectionID, tenant: tenant.id, in: DemoWorld.workspaceID, by: nil)
        if case .stale = answer {
            throw Failure(
                code: .refused, what: "The credential of \(tenant.name) was not set.",
                why: "Somebody else set one at the same time.", next: "Do it again.")
        }
    }

    private func issueTokens() async throws -> [BearerToken] {
        let principals = Principals(pool: pool)
        var tokens: [BearerToken] = []
        for user in DemoWorld.users {
            let token = BearerToken.random()
            try await principals.issue(
                UUID.timeOrdered(), hash: token.hash, label: "demo", lifetimeSeconds: Self.tokenSeconds,
                for: user.id, in: DemoWorld.workspaceID, by: .system)
            tokens.append(token)
        }
        return tokens
    }

    /// What was made, for machines. It holds the tokens.
    func json(_ tokens: [BearerToken]) -> JSON {
        [
            "workspace_id": .string("\(DemoWorld.workspaceID)"),
            "tenants": .array(
                tenants.map { tenant in
                    [
                        "id": .string("\(tenant.id)"), "name": .string(tenant.name),
                        "entra_tenant_id": .string(tenant.entraTenantID),
                        "connection_id": .string("\(tenant.connectionID)"), "devices": .int(tenant.devices),
                    ]
                }),
            "users": .array(
                zip(DemoWorld.users, tokens).map { user, token in
                    [
                        "id": .string("\(user.id)"), "name": .string(user.name),
                        "role": .string(user.role.rawValue), "token": .string(token.reveal()),
                    ]
                }),
        ]
    }

    /// What was made, for people.
    func lines(_ tokens: [BearerToken], isRegistered: Bool, _ style: Style) -> [String] {
        let customers = Table.lines(
            ["TENANT", "DEVICES", "CONNECTION"],
            tenants.map {
                [Cell($0.name), Cell(Presentation.grouped($0.devices)), Cell("\($0.connectionID)")]
            },
            style)
        let people = Table.lines(
            ["PERSON", "ROLE", "TOKEN (shown this once)"],
            zip(DemoWorld.users, tokens).map { [Cell($0.name), Cell($0.role.rawValue), Cell($1.reveal())] },
            style)
        let hint =
            isRegistered
            ? [] : ["", "The tenants are not registered at a sandbox: do it again with --sandbox URL."]
        return [style.bold(DemoWorld.workspaceName), ""] + customers + [""] + people + hint
            + ["", "Try: ATLAS_TOKEN=… atlas start compliance.snapshot --tenant Contoso --watch"]
    }
}

extension DemoWorld.Tenant {
    fileprivate var connection: ConnectionChanges.New {
        ConnectionChanges.New(
            tenant: id, displayName: "\(name) Intune", cloud: "sandbox",
            entraTenantID: entraTenantID, entraTenantName: name, clientID: clientID, isDefault: true)
    }
}
