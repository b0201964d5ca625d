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

    /// A policy with all its parts, by its id; nil when there is none.
    package func policy(_ id: String, of surface: PolicySurface) async throws -> JSONObject? {
        let path = surface.path.appending("/\(id)")
        do {
            guard var policy = try await get(path, Self.expansion(surface)).object else { return nil }
            for part in surface.parts { policy[part.rawValue] = .array(try await all(part, of: path)) }
            return policy
        } catch let failure as GraphFailure where failure.failure == .notFound {
            return nil
        }
    }

    private static func expansion(_ surface: PolicySurface) -> [(name: StaticString, value: String)] {
        guard let expand = surface.expand else { return [] }
        return [("$expand", expand)]
    }

    /// A policy that was listed as a whole, with what the list left out.
    package func whole(_ listed: JSONObject, id: String, of surface: PolicySurface) async throws -> JSONObject
    {
        let path = surface.path.appending("/\(id)")
        var policy = listed
        if surface.isReadByID {
            policy = try await get(path, Self.expansion(surface)).object ?? listed
        }
        for part in surface.parts { policy[part.rawValue] = .array(try await all(part, of: path)) }
        return policy
    }

    /// The provider no longer knows the link to a part's next page. It must not be taken for the end.
    private struct LinkExpired: Error {
        let failure: GraphFailure
    }

    private func all(_ part: PolicySurface.Part, of policy: GraphPath) async throws -> [JSON] {
        let path =
            switch part {
            case .settings: policy.appending("/settings")
            case .assignments: policy.appending("/assignments")
            }
        do {
            return try await all(path)
        } catch is LinkExpired {
            do {
                // Once from the start.
                return try await all(path)
            } catch let expired as LinkExpired {
                throw expired.failure
            }
        }
    }

    private func all(_ path: GraphPath) async throws -> [JSON] {
        var walk = PageWalk(pageLimit: Self.partPageLimit)
        var page = try await page(path)
        var items = page.items
        while let next = try walk.follow(page) {
            do {
                page = try await self.page(at: next, of: path)
            } catch let failure as GraphFailure where failure.failure == .invalidRequest {
                throw LinkExpired(failure: failure)
            }
            items += page.items
        }
        return items
    }
}
