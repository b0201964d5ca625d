import Postgres
import Store

/// The pages on which people manage what operations work with, by their routes.
struct ManagementPages: Sendable {
    let access: AccessPages
    let changes: AccessChanges
    let tookEffect = TookEffectPage()
    let tenant: TenantPage
    let connections: ConnectionForms
    let credential: CredentialForm
    let audit: AuditPages
    let me: MePages

    init(pool: PostgresPool, starter: StarterClient) {
        let access = AccessReading(pool: pool)
        let names = NameReading(pool: pool)
        let users = UserReading(pool: pool)
        let tenants = TenantReading(pool: pool)
        let freezes = FreezeReading(pool: pool)
        self.access = AccessPages(users: users, names: names, freezes: freezes, access: access)
        changes = AccessChanges(users: users, names: names, access: access, starter: starter)
        tenant = TenantPage(
            tenants: tenants, freezes: freezes, runs: RunReading(pool: pool), access: access)
        connections = ConnectionForms(tenants: tenants, names: names, access: access, starter: starter)
        credential = CredentialForm(tenants: tenants, access: access, starter: starter)
        audit = AuditPages(
            audit: AuditReading(pool: pool), tenants: tenants, names: names, access: access,
            verification: AuditCheck(AuditVerification(pool: pool)))
        me = MePages(
            tenants: tenants, names: names, tokens: TokenReading(pool: pool), access: access, starter: starter
        )
    }
}

extension Site {
    func reply(to route: ManagementRoute, _ visit: Visit) async throws -> Reply {
        let pages = management
        switch route {
        case .access: return try await show(visit, pages.access.list)
        case .person(let id): return try await show(visit) { try await pages.access.person(id, $0) }
        case .tookEffect: return try await show(visit, pages.tookEffect.show)
        case .tenant(let id): return try await show(visit) { try await pages.tenant.show(id, $0) }
        case .newConnection: return try await show(visit, pages.connections.new)
        case .editConnection(let id):
            return try await show(visit) { try await pages.connections.edit(id, $0) }
        case .credential(let id): return try await show(visit) { try await pages.credential.show(id, $0) }
        case .audit: return try await show(visit, pages.audit.show)
        case .auditFile: return try await pages.audit.export(visit)
        case .changeAccess: return try await answered(visit, pages.changes.change)
        case .createConnection: return try await answered(visit, pages.connections.create)
        case .saveConnection(let id):
            return try await answered(visit) { try await pages.connections.save(id, $0, $1) }
        case .setCredential(let id):
            return try await answered(visit) { try await pages.credential.set(id, $0, $1) }
        case .makeDefault(let id):
            return try await changed(visit) { _, visit in try await pages.connections.makeDefault(id, visit) }
        case .verifyAudit:
            return try await answered(visit) { _, visit in .page(try await pages.audit.verify(visit)) }
        case .changeTokens: return try await answered(visit, pages.me.change)
        }
    }
}
