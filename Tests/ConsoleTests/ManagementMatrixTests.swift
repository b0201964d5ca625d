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
    /// Each route stands in the matrix: a new one does not compile without its rows. What is asked takes something and is
    /// only asked, or lacks something: nothing is changed.
    private static func rows(_ route: ManagementRoute, _ world: World) -> [MatrixRow] {
        let (tenant, connection) = (world.tenant, world.connection)
        let edit = "/admin/provider-connections/\(connection)"
        let user = world.stranger
        switch route {
        case .access:
            return [
                .page("/admin/access", .somewhere(.accessManage)),
                .page(
                    "/admin/access?tenant=\(tenant)",
                    .by {
                        $0.somewhere?.holds(.accessManage) != true
                            ? 403 : $0.role?.holds(.accessManage) == true ? 200 : 404
                    }),
            ]
        case .person: return [.page("/admin/access/\(user)", .ours(.somewhere(.accessManage)))]
        case .tookEffect: return [.page("/admin/access/took-effect?answer=x.y", .always(404))]
        case .tenant: return [.page("/admin/tenants/\(tenant)", .here(.providerView))]
        case .newConnection:
            return [
                .page("/admin/provider-connections/new", .somewhere(.providerManage)),
                .page("/admin/provider-connections/new?tenant=\(tenant)", .here(.providerManage)),
            ]
        case .editConnection: return [.page("\(edit)/edit", .here(.providerManage))]
        case .credential: return [.page("\(edit)/credential", .here(.providerManage))]
        case .audit, .auditFile:
            let path = route == .audit ? "/admin/audit" : "/admin/audit.json"
            return [
                .page(path, .somewhere(.auditView)), .page("\(path)?tenant=\(tenant)", .here(.auditView)),
            ]
        case .changeAccess: return changes(world)
        case .createConnection:
            return [
                .action(
                    "/admin/provider-connections/new", [("tenant", "\(tenant)")], .here(.providerManage, 422)),
                .action("/admin/provider-connections/new", [], .somewhere(.providerManage, 422)),
            ]
        case .saveConnection:
            return [
                .action(
                    "\(edit)/edit", [("display_name", "x"), ("entra_tenant_id", "other")],
                    .here(.providerManage))
            ]
        case .setCredential:
            return [.action("\(edit)/credential", [("kind", "secret")], .here(.providerManage, 422))]
        case .makeDefault: return [.action("\(edit)/default", [], .here(.providerManage, 303))]
        case .verifyAudit: return [.action("/admin/audit", [], .everywhere(.auditView))]
        case .changeTokens:
            return [
                .action("/admin/me", [("change", "make")], .always(422)),
                .action(
                    "/admin/me", [("change", "revoke"), ("token", "\(UUID().uuidString)")], .always(404)),
            ]
        }
    }

    private static func changes(_ world: World) -> [MatrixRow] {
        func action(_ fields: [(String, String)], _ expected: ExpectedAnswer) -> MatrixRow {
            .action("/admin/access", fields, expected)
        }
        let (user, onTenant) = (("user", "\(world.operator)"), ("tenant", "\(world.tenant)"))
        // There is no grant of the operator's on the tenant: those who may ask learn it.
        return [
            action([("change", "revoke"), user, onTenant], .ours(.here(.accessManage, 404))),
            action([("change", "revoke"), user], .ours(.everywhere(.accessManage))),
            action([("change", "role"), ("role", "readonly"), user], .ours(.everywhere(.accessManage))),
            action([("change", "grant"), ("role", "readonly"), user, onTenant], .here(.accessManage)),
            action([("change", "disable"), user], .ours(.everywhere(.accessManage))),
            action(
                [("change", "enable"), ("user", "\(world.stranger)")], .ours(.everywhere(.accessManage, 303))),
            action(
                [("change", "operability"), ("operability", "suspended"), onTenant], .here(.accessManage)),
            action([("change", "gate"), ("on", "no"), onTenant], .here(.accessManage)),
            action(
                [("change", "connection"), ("on", "no"), ("connection", "\(world.connection)")],
                .here(.providerManage)),
            action([("change", "freeze"), onTenant], .here(.accessManage)),
            action([("change", "freeze"), ("connection", "\(world.connection)")], .here(.accessManage)),
            action([("change", "freeze")], .everywhere(.accessManage)),
            action([("change", "thaw")], .always(422)),
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
            let routes = Self.routes(stage.world).map(Route.management)
            let asked = try await MatrixRow.ask(routes, as: visitors, stage) { route in
                guard case .management(let route) = route else { return [] }
                return Self.rows(route, stage.world)
            }
            #expect(asked == visitors.count * 34)
            #expect(try await state(stage) == before)
        }
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
