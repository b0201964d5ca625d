package import JSON
internal import Operations

extension GraphSession {
    /// The most pages of a part; a policy has hundreds of settings.
    private static let partPageLimit = 1_000

    /// The first page of a kind. `isWhole` brings what lists can bring of each policy's content.
    package func policies(_ surface: PolicySurface, isWhole: Bool) async throws -> GraphPage {
        var options: [(name: StaticString, value: String)] = [("$top", "\(surface.pageSize)")]
        if isWhole, let expand = surface.expand { options.append(("$expand", expand)) }
        return try await page(surface.path, options)
    }

    /// A policy that was listed as a whole, with what the list left out.
    package func whole(_ listed: JSONObject, id: String, of surface: PolicySurface) async throws -> JSONObject {
        let path = surface.path.appending("/\(id)")
        var policy = listed
        if surface.isReadByID {
            var options: [(name: StaticString, value: String)] = []
            if let expand = surface.expand { options.append(("$expand", expand)) }
            policy = try await get(path, options).object ?? listed
        }
        for part in surface.parts { policy[part.rawValue] = .array(try await all(part, of: path)) }
        return policy
    }

    private func all(_ part: PolicySurface.Part, of policy: GraphPath) async throws -> [JSON] {
        let path =
            switch part {
            case .settings: policy.appending("/settings")
            case .assignments: policy.appending("/assignments")
            }
        var walk = PageWalk(pageLimit: Self.partPageLimit)
        var page = try await page(path)
        var items = page.items
        while let next = try walk.follow(page) {
            page = try await self.page(at: next, of: path)
            items += page.items
        }
        return items
    }
}
