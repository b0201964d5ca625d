import Fixtures
import FoundationEssentials
import HTTPTypes
import Operations
import Postgres
import Store
import Testing
import WebFixtures

@testable import Console

/// Every page and action that manages something, asked by everybody who could: outside its scope it is not there (404),
/// inside it takes the capability (403).
struct ManagementMatrixTests {
    /// A request, and how it is answered.
    private struct Row {
        let path: String
        var fields: [(String, String)]?
        let expected: (Visitor) -> Int
    }

    /// About one thing on the first tenant.
    private static func here(_ takes: Capability, _ status: Int = 200) -> (Visitor) -> Int {
        { $0.role.map { $0.holds(takes) ? status : 403 } ?? 404 }
    }

    /// About what the visitor may see anywhere.
    private static func somewhere(_ takes: Capability, _ status: Int = 200) -> (Visitor) -> Int {
        { $0.somewhere?.holds(takes) == true ? status : 403 }
    }

    /// About the visitor's whole workspace.
    private static func everywhere(_ takes: Capability, _ status: Int = 200) -> (Visitor) -> Int {
        { $0.everywhere?.holds(takes) == true ? status : 403 }
    }

    /// About a person of the stage's workspace, who is not there for the other one.
    private static func ours(_ expected: @escaping (Visitor) -> Int) -> (Visitor) -> Int {
        { $0.isForeign ? 404 : expected($0) }
    }

    /// Each route stands in the matrix: a new one does not compile without its rows. What is asked takes something and is
    /// only asked, or lacks something: nothing is changed.
    private static func rows(_ route: ManagementRoute, _ world: World) -> [Row] {
        let (tenant, connection) = (world.tenant, world.connection)
        let edit = "/admin/provider-connections/\(connection)"
        let user = world.stranger
        func page(_ path: String, _ expected: @escaping (Visitor) -> Int) -> Row {
            Row(path: path, expected: expected)
        }
        func action(
            _ path: String, _ fields: [(String, String)], _ expected: @escaping (Visitor) -> Int
        ) -> Row { Row(path: path, fields: fields, expected: expected) }
        switch route {
        case .access:
            return [
                page("/admin/access", somewhere(.accessManage)),
                page("/admin/access?tenant=\(tenant)") {
                    somewhere(.accessManage)($0) == 403
                        ? 403 : $0.role?.holds(.accessManage) == true ? 200 : 404
                },
            ]
        case .person: return [page("/admin/access/\(user)", ours(somewhere(.accessManage)))]
        case .tookEffect: return [page("/admin/access/took-effect?answer=x.y") { _ in 404 }]
        case .tenant: return [page("/admin/tenants/\(tenant)", here(.providerView))]
        case .newConnection:
            return [
                page("/admin/provider-connections/new", somewhere(.providerManage)),
                page("/admin/provider-connections/new?tenant=\(tenant)", here(.providerManage)),
            ]
        case .editConnection: return [page("\(edit)/edit", here(.providerManage))]
        case .credential: return [page("\(edit)/credential", here(.providerManage))]
        case .audit, .auditFile:
            let path = route == .audit ? "/admin/audit" : "/admin/audit.json"
            return [
                page(path, somewhere(.auditView)), page("\(path)?tenant=\(tenant)", here(.auditView)),
            ]
        case .changeAccess: return changes(world)
        case .createConnection:
            return [
                action(
                    "/admin/provider-connections/new", [("tenant", "\(tenant)")], here(.providerManage, 422)),
                action("/admin/provider-connections/new", [], somewhere(.providerManage, 422)),
            ]
        case .saveConnection:
            return [
                action(
                    "\(edit)/edit", [("display_name", "x"), ("entra_tenant_id", "other")],
                    here(.providerManage))
            ]
        case .setCredential:
            return [action("\(edit)/credential", [("kind", "secret")], here(.providerManage, 422))]
        case .makeDefault: return [action("\(edit)/default", [], here(.providerManage, 303))]
        case .verifyAudit: return [action("/admin/audit", [], everywhere(.auditView))]
        case .changeTokens:
            return [
                action("/admin/me", [("change", "make")]) { _ in 422 },
                action("/admin/me", [("change", "revoke"), ("token", "\(UUID().uuidString)")]) { _ in 404 },
            ]
        }
    }

    private static func changes(_ world: World) -> [Row] {
        func action(_ fields: [(String, String)], _ expected: @escaping (Visitor) -> Int) -> Row {
            Row(path: "/admin/access", fields: fields, expected: expected)
        }
        let (user, onTenant) = (("user", "\(world.operator)"), ("tenant", "\(world.tenant)"))
        // There is no grant of the operator's on the tenant: those who may ask learn it.
        return [
            action([("change", "revoke"), user, onTenant], ours(here(.accessManage, 404))),
            action([("change", "revoke"), user], ours(everywhere(.accessManage))),
            action([("change", "role"), ("role", "readonly"), user], ours(everywhere(.accessManage))),
            action([("change", "grant"), ("role", "readonly"), user, onTenant], here(.accessManage)),
            action([("change", "disable"), user], ours(everywhere(.accessManage))),
            action(
                [("change", "enable"), ("user", "\(world.stranger)")], ours(everywhere(.accessManage, 303))),
            action([("change", "operability"), ("operability", "suspended"), onTenant], here(.accessManage)),
            action([("change", "gate"), ("on", "no"), onTenant], here(.accessManage)),
            action(
                [("change", "connection"), ("on", "no"), ("connection", "\(world.connection)")],
                here(.providerManage)),
            action([("change", "freeze"), onTenant], here(.accessManage)),
            action([("change", "freeze"), ("connection", "\(world.connection)")], here(.accessManage)),
            action([("change", "freeze")], everywhere(.accessManage)),
            action([("change", "thaw")]) { _ in 422 },
        ]
    }

    private static func routes(_ world: World) -> [ManagementRoute] {
        [
            .access, .person(world.stranger), .tookEffect, .tenant(world.tenant), .newConnection,
            .editConnection(world.connection), .credential(world.connection), .audit, .auditFile,
            .changeAccess, .createConnection, .saveConnection(world.connection),
            .setCredential(world.connection), .makeDefault(world.connection), .verifyAudit, .changeTokens,
        ]
    }

    @Test func everybodySeesAndDoesWhatTheyMay() async throws {
        try await ConsoleStage.with { stage in
            let visitors = try await Visitor.all(stage)
            let before = try await state(stage)
            var asked = 0
            for visitor in visitors {
                let browser = try await stage.browser(of: visitor.id)
                for route in Self.routes(stage.world) {
                    for row in Self.rows(route, stage.world) {
                        let path = String(row.path.prefix { $0 != "?" })
                        #expect(Route(row.fields == nil ? .get : .post, path: path) == .management(route))
                        let reply = try await ask(row, browser)
                        #expect(
                            reply.status == row.expected(visitor),
                            "\(row.path) \(row.fields ?? []) by \(visitor.name): \(reply.status)")
                        // Nobody reads a name of what they may not see.
                        if visitor.role == nil {
                            #expect(!reply.text.contains("Tenant 1"), "\(row.path) by \(visitor.name)")
                        }
                        asked += 1
                    }
                }
            }
            #expect(asked == visitors.count * 34)
            #expect(try await state(stage) == before)
        }
    }

    private func ask(_ row: Row, _ browser: Browser) async throws -> CollectedResponse {
        guard let fields = row.fields else { return try await browser.get(row.path) }
        return try await browser.post(row.path, fields)
    }

    /// What the actions are about.
    private func state(_ stage: ConsoleStage) async throws -> String {
        try await stage.pool.query(
            """
            SELECT (SELECT string_agg(t::text, ',' ORDER BY id) FROM tenants t)
                || (SELECT string_agg(m::text, ',' ORDER BY id) FROM memberships m)
                || (SELECT string_agg(u::text, ',' ORDER BY id) FROM users u)
                || (SELECT string_agg(c::text, ',' ORDER BY id) FROM provider_connections c)
                || (SELECT string_agg(k::text, ',' ORDER BY connection_id) FROM provider_credentials k)
                || (SELECT count(*) FROM api_tokens WHERE idle_seconds IS NULL)
                || (SELECT string_agg(w::text, ',' ORDER BY id) FROM workspaces w)
            """)[0].text(0)
    }
}
