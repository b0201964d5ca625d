import Fixtures
import Foundation
import JSON
import Operations
import Postgres
import SeededRandom
import Store
import Testing

/// Decisions come out of the database as they went in, and come out the same when they are made again.
@Suite("Stored decisions")
struct StoredDecisionsTests {
    @Test("10,000 random decisions are replayed from what is stored")
    func replays() async throws {
        var (random, seed) = SplitMix.announced(for: "stored decisions")
        let decisions = (0..<10_000).map { _ in Self.decision(&random) }
        #expect(decisions.contains { $0.isAllowed })
        #expect(Set(decisions.compactMap(\.denial)).count > 15)
        try await Stand.with { stand in
            _ = try await stand.pool.query(
                """
                INSERT INTO audit (action, workspace_id, details)
                SELECT 'run.began', $1::uuid, json_build_object('decision', d) FROM unnest($2::json[]) AS d
                """,
                [.uuid(stand.world.workspace.uuid), .jsons(decisions.map(\.json.text))])
            let rows = try await stand.pool.query(
                "SELECT details->'decision' AS decision FROM audit WHERE action = 'run.began' ORDER BY id")
            #expect(rows.count == decisions.count)
            for (row, decision) in zip(rows, decisions) {
                let stored = try JSON(parsing: try row.json("decision"))
                #expect(stored == decision.json, "seed \(seed)")
                let replay = try #require(RunExplanation.Replay(stored), "seed \(seed): \(stored.text)")
                #expect(replay.isEqual, "seed \(seed): \(stored.text)")
            }
        }
    }

    @Test("a decision whose answer was changed does not come out the same")
    func altered() throws {
        var random = SplitMix(seed: 1)
        let decision = Self.decision(&random)
        var stored = try #require(decision.json.object)
        stored["decision"] = decision.isAllowed ? "denied" : "allowed"
        let replay = try #require(RunExplanation.Replay(.object(stored)))
        #expect(!replay.isEqual)
    }

    // MARK: random decisions

    private static let now = Date(timeIntervalSince1970: 1_795_251_600)
    private static let ids = (0..<3).map {
        UUID(uuid: (0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, $0))
    }

    /// Mostly what the gate allows, with something else here and there.
    private static func decision(_ random: inout SplitMix) -> LegitimacyDecision {
        let type = OperationType.allCases.randomElement(using: &random)!
        let isSystem = Int.random(in: 0..<4, using: &random) == 0
        func id(_ random: inout SplitMix) -> UUID {
            ids[Int.random(in: 0..<20, using: &random) == 0 ? 1 : 0]
        }
        func rarely(_ random: inout SplitMix) -> Bool { Int.random(in: 0..<20, using: &random) == 0 }
        func fact<Value>(_ value: Value, _ random: inout SplitMix) -> Fact<Value> {
            switch Int.random(in: 0..<40, using: &random) {
            case 0: .missing
            case 1: .unreadable
            default: .found(value)
            }
        }
        let context = QueuedExecutionContext(
            authorityMode: isSystem ? .systemAuthority : .actorBound,
            origin: isSystem ? .schedule : .person,
            requiredCapability: rarely(&random)
                ? .providerManage : OperationCatalogue.definition(type).capability,
            grantID: isSystem ? nil : GrantID(id(&random)), freezeGeneration: rarely(&random) ? 5 : 4,
            workspaceID: WorkspaceID(id(&random)), tenantID: TenantID(id(&random)),
            connectionID: ConnectionID(id(&random)), entraTenantID: id(&random).uuidString,
            entraTenantName: "Grüße «\(Int.random(in: 0...9, using: &random))» \"🔒\"")
        let run = QueuedExecution(
            runID: RunID(UUID()), operation: rarely(&random) ? "tea.make" : type.rawValue,
            workspaceID: WorkspaceID(ids[0]), tenantID: TenantID(ids[0]), connectionID: ConnectionID(ids[0]),
            initiatorID: isSystem ? nil : UserID(ids[0]),
            expiresAt: now.addingTimeInterval(rarely(&random) ? -1 : 60),
            context: rarely(&random) ? nil : context)
        let gate = AuthorityFacts.WriteGate(
            isOpen: !rarely(&random),
            checkedAt: rarely(&random) ? nil : now.addingTimeInterval(rarely(&random) ? -99_999 : -60),
            isHealthy: !rarely(&random), limitSeconds: 86_400)
        let tenant = AuthorityFacts.Tenant(
            workspaceID: WorkspaceID(id(&random)),
            operability: rarely(&random)
                ? AuthorityFacts.Operability.allCases.randomElement(using: &random)! : .operable,
            authorityEpoch: Int.random(in: 0...99, using: &random), freezeGeneration: 4, writeGate: gate)
        let connection = AuthorityFacts.Connection(
            tenantID: TenantID(id(&random)), isEnabled: !rarely(&random), entraTenantID: ids[0].uuidString,
            hasCredential: !rarely(&random))
        let role: Role = rarely(&random) ? .readonly : .owner
        let facts = AuthorityFacts(
            initiator: fact(.init(isDisabled: rarely(&random)), &random),
            entitlement: fact(.init(grantID: GrantID(ids[0]), role: role), &random),
            tenant: fact(tenant, &random), connection: fact(connection, &random), readAt: now)
        return LegitimacyGate.decide(
            run, attempt: Int.random(in: 1...5, using: &random),
            phase: LegitimacyDecision.Phase.allCases.randomElement(using: &random)!, facts: facts)
    }
}
