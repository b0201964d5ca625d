import Foundation
import Graph
import JSON
import Operations

/// The tenant as it is during one attempt: what was asked once is not asked again, unless it must be fresh.
actor LiveTenant {
    /// An entry of a list: enough to find an object by its name.
    struct Listed: Sendable, Hashable {
        let id: String
        let name: String
        /// The provider's type, where the kind has several.
        let type: String?
        let createdAt: Date?
    }

    /// The most pages of one list, and the most groups that are asked about at once.
    private static let pageLimit = 1_000
    private static let groupsAtOnce = 1_000

    private let session: GraphSession
    private var lists: [PolicyKind: [Listed]] = [:]
    /// Whether a group is there.
    private var groups: [String: Bool] = [:]

    init(_ session: GraphSession) { self.session = session }

    /// Throws ``GraphFailure`` (`tenantMismatch`) unless the directory that answers is the connection's.
    func check() async throws {
        let organization = try await session.get("/v1.0/organization", [("$select", "id")])
        guard organization["value"]?[0]?["id"]?.string?.lowercased() == session.entraTenantID.lowercased()
        else { throw GraphFailure(.tenantMismatch, call: "GET /v1.0/organization", httpStatus: 200) }
    }

    /// An object with all its parts; nil when it is not there.
    func object(_ id: String, of kind: PolicyKind) async throws -> JSONObject? {
        try await session.policy(id, of: .of(kind))
    }

    /// The objects of a kind. Lists lag behind what was written.
    func list(_ kind: PolicyKind, isFresh: Bool = false) async throws -> [Listed] {
        if !isFresh, let known = lists[kind] { return known }
        let surface = PolicySurface.of(kind)
        var walk = PageWalk(pageLimit: Self.pageLimit)
        var page = try await session.policies(surface, isWhole: false)
        var found = page.items.compactMap { Listed($0, surface) }
        while let next = try walk.follow(page) {
            page = try await session.page(at: next, of: surface.path)
            found += page.items.compactMap { Listed($0, surface) }
        }
        lists[kind] = found
        return found
    }

    /// Those of the groups that are not there.
    func missingGroups(_ ids: [String]) async throws -> [String] {
        let unknown = Array(Set(ids.map { $0.lowercased() }).filter { groups[$0] == nil })
        for start in stride(from: 0, to: unknown.count, by: Self.groupsAtOnce) {
            let asked = unknown[start..<min(start + Self.groupsAtOnce, unknown.count)]
            let answer = try await session.ask(
                "/v1.0/directoryObjects/getByIds",
                ["ids": .array(asked.map(JSON.string)), "types": ["group"]])
            let found = Set((answer["value"]?.array ?? []).compactMap { $0["id"]?.string?.lowercased() })
            for id in asked { groups[id] = found.contains(id) }
        }
        return Set(ids).filter { groups[$0.lowercased()] == false }.sorted()
    }
}

extension LiveTenant.Listed {
    fileprivate init?(_ json: JSON, _ surface: PolicySurface) {
        guard let id = json["id"]?.string else { return nil }
        self.init(
            id: id, name: json[surface.name]?.string ?? "", type: json["@odata.type"]?.string,
            createdAt: ProviderDate.date(json["createdDateTime"]))
    }
}
