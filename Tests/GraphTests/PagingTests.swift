import GraphFixtures
import JSON
import Operations
import Testing

@testable import Graph

@Suite struct PagingTests {
    private static let devices: GraphPath = "/v1.0/deviceManagement/managedDevices"

    /// All ids, page by page.
    private func walk(_ stage: ProviderStage) async throws -> [[String]] {
        let session = try await stage.gateway.session(under: stage.run(.complianceSnapshot))
        var walk = PageWalk(pageLimit: 50)
        var page = try await session.page(Self.devices, [("$select", "id"), ("$top", "10")])
        var ids = [page.items.compactMap { $0["id"]?.string }]
        while let link = try walk.follow(page) {
            page = try await session.page(at: link, of: Self.devices)
            ids.append(page.items.compactMap { $0["id"]?.string })
        }
        return ids
    }

    @Test(arguments: [nil, "upperCaseHost", "doubleEncoded"] as [String?])
    func linksAreFollowedByteForByte(_ form: String?) async throws {
        try await ProviderStage.with(devices: 35) { stage in
            if let form {
                try await stage.sandbox.arm("nextLink", tenant: stage.entraTenant, ["form": .string(form)])
            }
            let pages = try await walk(stage)
            #expect(pages.map(\.count) == [10, 10, 10, 5])
            #expect(Set(pages.joined()).count == 35)
        }
    }

    @Test func aForeignHostIsNotFollowed() async throws {
        try await ProviderStage.with(devices: 35) { stage in
            try await stage.sandbox.arm("nextLink", tenant: stage.entraTenant, ["form": "foreignHost"])
            let failure = await #expect(throws: GraphFailure.self) { try await walk(stage) }
            #expect(failure?.failure == .malformedAnswer)
            let calls = Set(try await stage.permits().map(\.call))
            #expect(calls == ["POST /{id}/oauth2/v2.0/token", "GET /v1.0/deviceManagement/managedDevices"])
        }
    }

    @Test func anEmptyPageIsNotTheEnd() async throws {
        try await ProviderStage.with(devices: 35) { stage in
            try await stage.sandbox.arm("emptyPage", tenant: stage.entraTenant, ["skip": 1, "count": 1])
            #expect(try await walk(stage).map(\.count) == [10, 0, 10, 10, 5])
        }
    }

    @Test func emptyPagesForEverEnd() async throws {
        try await ProviderStage.with(devices: 35) { stage in
            try await stage.sandbox.arm("emptyPage", tenant: stage.entraTenant)
            let failure = await #expect(throws: GraphFailure.self) { try await walk(stage) }
            #expect(failure?.failure == .malformedAnswer)
        }
    }

    @Test func storedLinksAreCheckedAgain() async throws {
        try await ProviderStage.with { stage in
            let session = try await stage.gateway.session(under: stage.run(.complianceSnapshot))
            #expect(session.link(stored: "\(stage.sandbox.base)/v1.0/x?$skiptoken=1") != nil)
            #expect(session.link(stored: "https://graph.example.net/v1.0/x") == nil)
            #expect(session.link(stored: "") == nil)
        }
    }
}
