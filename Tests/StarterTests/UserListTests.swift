import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Starter

/// The people of a workspace, for those who manage access.
@Suite(.serialized)
struct UserListTests {
    private func users(_ site: Site, as user: UserID) async throws -> [String: JSON] {
        let reply = try await site.call(.get, "/v1/users", site.token(for: user))
        let users = try #require(reply["users"]?.array)
        return Dictionary(
            uniqueKeysWithValues: users.compactMap { user in user["id"]?.string.map { ($0, user) } })
    }

    @Test func theOwnerSeesEverybodyAndWhatTheyHold() async throws {
        try await Site.with { site in
            let changes = AuthorityChanges(pool: site.pool, makeID: { UUID() })
            let world = site.world
            let grant = try await changes.grant(
                user: world.stranger, tenant: world.tenants[1], role: .readonly, in: world.workspace,
                by: .system)
            _ = try await changes.apply(.disableUser(world.operator), in: world.workspace, by: .system)
            let users = try await users(site, as: world.owner)
            #expect(users.count == Role.allCases.count + 1)
            let stranger = try #require(users["\(world.stranger)"])
            #expect(stranger["name"] == "stranger")
            #expect(stranger["kind"] == "person")
            #expect(stranger["disabled"] == false)
            #expect(
                stranger["grants"] == [
                    [
                        "grant_id": .string("\(grant.id)"), "tenant_id": .string("\(world.tenants[1])"),
                        "role": "readonly",
                    ]
                ])
            #expect(users["\(world.operator)"]?["disabled"] == true)
            #expect(users["\(world.operator)"]?["grants"]?[0]?["tenant_id"] == .null)

            _ = try await changes.apply(
                .revokeMembership(user: world.stranger, tenant: world.tenants[1]), in: world.workspace,
                by: .system)
            let later = try await self.users(site, as: world.owner)
            #expect(later["\(world.stranger)"]?["grants"] == [])
        }
    }

    @Test func aTenantsManagerSeesNoGrantsOnOtherTenants() async throws {
        try await Site.with { site in
            let (changes, world) = (AuthorityChanges(pool: site.pool, makeID: { UUID() }), site.world)
            let guest = UserID(UUID())
            _ = try await site.pool.query(
                "INSERT INTO users (id, workspace_id, name, kind) VALUES ($1::uuid, $2::uuid, 'bot', 'system')",
                [.uuid(guest.uuid), .uuid(world.workspace.uuid)])
            for (tenant, role) in zip(world.tenants, [Role.operator, .readonly]) {
                _ = try await changes.grant(
                    user: guest, tenant: tenant, role: role, in: world.workspace, by: .system)
            }
            _ = try await changes.grant(
                user: world.stranger, tenant: world.tenant, role: .manager, in: world.workspace, by: .system)
            let bot = try #require(try await users(site, as: world.stranger)["\(guest)"])
            #expect(bot["kind"] == "system")
            #expect(bot["grants"]?.array?.map { $0["tenant_id"] } == [.string("\(world.tenant)")])
        }
    }

    @Test func pagesAreComplete() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            var (found, path) = ([String](), "/v1/users?limit=2")
            for _ in 0..<10 {
                let reply = try await site.call(.get, path, token)
                found += reply.ids("users", "id")
                guard let next = reply["next"]?.string else { break }
                path = "/v1/users?limit=2&cursor=\(next)"
            }
            let everybody = site.world.people.values.map { "\($0)" } + ["\(site.world.stranger)"]
            #expect(found == everybody.sorted())
            #expect(try await site.call(.get, "/v1/users?cursor=x", token).status == 422)
        }
    }
}
