import Fixtures
import FoundationEssentials
import Operations
import Postgres
import Store

@testable import Console

/// Somebody who looks at the console, and what they hold, by the rules and not by the code.
struct Visitor: Sendable {
    let name: String
    let id: UserID
    /// What they hold on the first tenant; nil for somebody who holds nothing there.
    var role: Role?
    /// What they hold on the whole of their own workspace.
    var everywhere: Role?
    /// The most that they hold on something of their own workspace.
    var somewhere: Role?
    /// Of another workspace.
    var isForeign = false

    /// Whether they hold something somewhere.
    var holdsAnything: Bool { somewhere != nil }

    /// Everybody who could come.
    static func all(_ stage: ConsoleStage) async throws -> [Visitor] {
        let world = stage.world
        var visitors = Role.allCases.map { role in
            Visitor(
                name: role.rawValue, id: world.people[role]!, role: role, everywhere: role, somewhere: role)
        }
        visitors.append(Visitor(name: "nobody", id: world.stranger))
        for (name, place, role) in [
            ("of this tenant", 0, Role.operator), ("manager of this tenant", 0, .manager),
            ("of another tenant", 1, .owner),
        ] {
            let id = try await enter(stage, name, tenant: world.tenants[place], role)
            visitors.append(Visitor(name: name, id: id, role: place == 0 ? role : nil, somewhere: role))
        }
        let elsewhere = try await World.make(in: stage.pool)
        _ = try await stage.pool.query(
            "UPDATE tenants SET name = 'Elsewhere' WHERE workspace_id = $1::uuid",
            [.uuid(elsewhere.workspace.uuid)])
        visitors.append(
            Visitor(
                name: "of another workspace", id: elsewhere.owner, everywhere: .owner, somewhere: .owner,
                isForeign: true))
        let former = try await enter(stage, "former", tenant: world.tenants[0], .owner)
        _ = try await stage.pool.query(
            "UPDATE memberships SET revoked_at = now() WHERE user_id = $1::uuid", [.uuid(former.uuid)])
        visitors.append(Visitor(name: "former", id: former))
        return visitors
    }

    /// A new person of the stage's workspace with a role on a tenant.
    static func enter(
        _ stage: ConsoleStage, _ name: String, tenant: TenantID, _ role: Role
    ) async throws -> UserID {
        let id = UUID()
        _ = try await stage.pool.pipeline([
            (
                "INSERT INTO users (id, workspace_id, name) VALUES ($1::uuid, $2::uuid, $3)",
                [.uuid(id), .uuid(stage.world.workspace.uuid), .text(name)]
            ),
            (
                """
                INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role)
                VALUES (gen_random_uuid(), $1::uuid, $2::uuid, $3::uuid, $4)
                """,
                [
                    .uuid(stage.world.workspace.uuid), .uuid(tenant.uuid), .uuid(id), .text(role.rawValue),
                ]
            ),
        ])
        return UserID(id)
    }
}
