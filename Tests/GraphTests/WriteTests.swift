import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Store
import Testing

@testable import Graph

/// Changes through the gateway, against the real sandbox.
@Suite struct WriteTests {
    private static let roles: [JSON] = [
        "DeviceManagementConfiguration.ReadWrite.All", "Group.Read.All", "Organization.Read.All",
    ]
    private static let filters: GraphPath = "/beta/deviceManagement/assignmentFilters"

    private func with(
        _ limits: GraphGateway.Limits = .init(), _ body: (ProviderStage, GraphSession) async throws -> Void
    ) async throws {
        try await ProviderStage.with(devices: 0, roles: Self.roles, limits: limits) { stage in
            try await stage.setWriteGate(isOpen: true)
            let permit = try await stage.run(.restoreExecute)
            try await body(stage, try await stage.gateway.session(under: permit))
        }
    }

    private func filter(_ name: String) -> JSON {
        ["displayName": .string(name), "platform": "iOS", "rule": "(device.model -eq \"x\")"]
    }

    private func create(_ session: GraphSession, _ name: String) async throws -> WriteAnswer {
        try await session.write(.post, Self.filters, filter(name))
    }

    private func creations(_ stage: ProviderStage) async throws -> [Int?] {
        try await stage.sandbox.calls(tenant: stage.entraTenant)
            .filter { $0.method == "POST" && $0.path == "/beta/deviceManagement/assignmentFilters" }.map(
                \.status)
    }

    @Test func eachChangeIsCarriedOutUnderAPermitOfItsOwn() async throws {
        try await with { stage, session in
            let created = try await create(session, "A")
            #expect(created.status == 201)
            let id = try #require(created.body?["id"]?.string)
            let path = Self.filters.appending("/\(id)")
            #expect((200...204).contains(try await session.write(.patch, path, ["description": "d"]).status))
            let deleted = try await session.write(.delete, path)
            #expect(deleted.body == nil)
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant)
            let permits = try await stage.permits()
            #expect(permits.map(\.id) == calls.map(\.clientRequestID))
            #expect(permits.map(\.status) == calls.map(\.status))
            #expect(
                permits.map(\.call).dropFirst() == [
                    "POST /beta/deviceManagement/assignmentFilters",
                    "PATCH /beta/deviceManagement/assignmentFilters/{id}",
                    "DELETE /beta/deviceManagement/assignmentFilters/{id}",
                ])
        }
    }

    /// What may have been carried out is in doubt, and not sent again.
    @Test(arguments: ["resetAfterCommit", "reset", "500", "502", "504"])
    func whatMayHaveBeenDoneIsNeverRepeated(_ fault: String) async throws {
        try await with { stage, session in
            let more: JSONObject =
                Int(fault).map { ["status": .int($0), "writes": true] } ?? ["writes": true]
            try await stage.sandbox.arm(Int(fault) == nil ? fault : "error", tenant: stage.entraTenant, more)
            let failure = await #expect(throws: GraphFailure.self) { try await create(session, "A") }
            #expect(failure?.failure == .unknownOutcome)
            #expect(try await creations(stage).count == 1)
        }
    }

    @Test func aTimeOutIsInDoubt() async throws {
        try await with(.init(call: .seconds(2), token: .seconds(2))) { stage, session in
            try await stage.sandbox.arm(
                "slow", tenant: stage.entraTenant, ["delayMs": 5_000, "writes": true])
            let failure = await #expect(throws: GraphFailure.self) { try await create(session, "A") }
            #expect(failure?.failure == .unknownOutcome)
            // It may still arrive: a revoke has to know.
            #expect(try await stage.permits().last?.isClosed == false)
        }
    }

    @Test func whatWasTurnedAwayIsSentAgain() async throws {
        try await with { stage, session in
            try await stage.sandbox.arm(
                "throttle", tenant: stage.entraTenant, ["writes": true, "count": 1, "retryAfter": 1])
            try await stage.sandbox.arm(
                "outage", tenant: stage.entraTenant, ["writes": true, "count": 1, "status": 503])
            #expect(try await create(session, "A").status == 201)
            #expect(try await creations(stage).compactMap(\.self).last == 201)
            #expect(try await creations(stage).count == 3)
        }
    }

    @Test func anOldTokenIsReplacedOnce() async throws {
        try await with { stage, session in
            try await stage.sandbox.arm(
                "unauthorized", tenant: stage.entraTenant, ["writes": true, "count": 1])
            #expect(try await create(session, "A").status == 201)
            #expect(try await creations(stage) == [401, 201])
        }
    }

    @Test func aRefusalIsTheProvidersAnswer() async throws {
        try await with { stage, session in
            _ = try await create(session, "A")
            let taken = await #expect(throws: GraphFailure.self) { try await create(session, "A") }
            #expect(taken?.failure == .conflict)
            #expect(try await creations(stage) == [201, 409])
        }
    }

    @Test func aQuestionByPostIsRepeatedLikeARead() async throws {
        try await with { stage, session in
            try await stage.sandbox.arm(
                "outage", tenant: stage.entraTenant,
                ["path": "/v1.0/directoryObjects/getByIds", "count": 1, "status": 502])
            let groups = try await stage.sandbox.control(
                "GET", "/tenants/\(stage.entraTenant)/entities/groups")
            let id = try #require(groups["value"]?[0]?["id"])
            let answer = try await session.ask(
                "/v1.0/directoryObjects/getByIds",
                ["ids": [id, .string(UUID().uuidString.lowercased())], "types": ["group"]])
            #expect(answer["value"]?.array?.map { $0["id"] } == [id])
        }
    }

    @Test func aClosedWriteGateStopsItBeforeItIsSent() async throws {
        try await with { stage, session in
            _ = try await create(session, "A")
            try await stage.setWriteGate(isOpen: false)
            await #expect(throws: CallRefusal.self) { try await create(session, "B") }
            #expect(try await creations(stage) == [201])
        }
    }
}
