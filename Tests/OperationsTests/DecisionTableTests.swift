import FoundationEssentials
import Foundation
import JSON
import Operations
import Testing

/// Which input of a decision which check looks at: what
/// `specs/149-queued-execution-reauthorization/contracts/execution-checks.json` says, changed one by one.
struct DecisionTableTests {
    private struct Line: Hashable {
        let input: String
        let change: String

        init(_ input: String, _ change: String) {
            self.input = input
            self.change = change
        }
    }

    /// Changes one input of an allowed decision.
    private typealias Change = @Sendable (inout QueuedExecution, inout AuthorityFacts, inout Int) -> Void

    private static let changes: [Line: Change] = [
        Line("run.operation", "a name that is in no catalogue"): { run, _, _ in run.operation = "tea.make" },
        Line("run.expires_at", "the moment of the decision"): { run, facts, _ in run.expiresAt = facts.readAt
        },
        Line("run.workspace_id", "another"): { run, _, _ in run.workspaceID = Sample.otherWorkspace },
        Line("run.tenant_id", "another"): { run, _, _ in run.tenantID = Sample.otherTenant },
        Line("run.provider_connection_id", "another"): { run, _, _ in
            run.connectionID = Sample.otherConnection
        },
        Line("run.context", "unreadable"): { run, _, _ in run.context = nil },
        Line("run.context.workspace_id", "another"): { run, _, _ in
            run.context?.workspaceID = Sample.otherWorkspace
        },
        Line("run.context.tenant_id", "another"): { run, _, _ in run.context?.tenantID = Sample.otherTenant },
        Line("run.context.provider_connection_id", "another"): { run, _, _ in
            run.context?.connectionID = Sample.otherConnection
        },
        Line("run.context.required_capability", "another"): { run, _, _ in
            run.context?.requiredCapability = .providerManage
        },
        Line("run.context.origin", "another door"): { run, _, _ in run.context?.origin = .upstream },
        Line("run.initiator_id", "somebody"): { run, _, _ in
            if run.initiatorID == nil { run.initiatorID = Sample.user }
        },
        Line("run.initiator_id", "nobody"): { run, _, _ in run.initiatorID = nil },
        Line("run.context.grant_id", "another"): { run, _, _ in run.context?.grantID = Sample.otherGrant },
        Line("run.context.freeze_generation", "another"): { run, _, _ in run.context?.freezeGeneration += 1 },
        Line("run.context.target_scope.entra_tenant_id", "another"): { run, _, _ in
            run.context?.entraTenantID = Sample.otherDirectory
        },
        Line("run.context.target_scope.entra_tenant_name", "another"): { run, _, _ in
            run.context?.entraTenantName = "Fabrikam"
        },
        Line("facts.initiator", "missing"): { _, facts, _ in facts.initiator = .missing },
        Line("facts.initiator", "unreadable"): { _, facts, _ in facts.initiator = .unreadable },
        Line("facts.initiator.disabled", "true"): { _, facts, _ in
            facts.initiator = .found(.init(isDisabled: true))
        },
        Line("facts.entitlement", "missing"): { _, facts, _ in facts.entitlement = .missing },
        Line("facts.entitlement", "unreadable"): { _, facts, _ in facts.entitlement = .unreadable },
        Line("facts.entitlement.grant_id", "another"): { _, facts, _ in
            facts.entitlement = .found(.init(grantID: Sample.otherGrant, role: .owner))
        },
        Line("facts.entitlement.role", "one without the capability"): { run, facts, _ in
            // Every role may do something; none of the least may start anything.
            facts.entitlement = .found(.init(grantID: Sample.grant, role: .readonly))
        },
        Line("facts.tenant", "missing"): { _, facts, _ in facts.tenant = .missing },
        Line("facts.tenant", "unreadable"): { _, facts, _ in facts.tenant = .unreadable },
        Line("facts.tenant.workspace_id", "another"): tenant { $0.workspaceID = Sample.otherWorkspace },
        Line("facts.tenant.operability", "onboarding"): tenant { $0.operability = .onboarding },
        Line("facts.tenant.operability", "suspended"): tenant { $0.operability = .suspended },
        Line("facts.tenant.operability", "archived"): tenant { $0.operability = .archived },
        Line("facts.tenant.authority_epoch", "another"): tenant { $0.authorityEpoch += 1 },
        Line("facts.tenant.freeze_generation", "another"): tenant { $0.freezeGeneration += 1 },
        Line("facts.tenant.write_gate.open", "false"): tenant { $0.writeGate.isOpen = false },
        Line("facts.tenant.write_gate.healthy", "false"): tenant { $0.writeGate.isHealthy = false },
        Line("facts.tenant.write_gate.checked_at", "never"): tenant { $0.writeGate.checkedAt = nil },
        Line("facts.tenant.write_gate.checked_at", "longer ago than the limit"): tenant {
            $0.writeGate.checkedAt = Sample.now.addingTimeInterval(-Double($0.writeGate.limitSeconds) - 1)
        },
        Line("facts.tenant.write_gate.limit_seconds", "shorter than the check's age"): tenant {
            $0.writeGate.limitSeconds = 59
        },
        Line("facts.connection", "missing"): { _, facts, _ in facts.connection = .missing },
        Line("facts.connection", "unreadable"): { _, facts, _ in facts.connection = .unreadable },
        Line("facts.connection.tenant_id", "another"): connection { $0.tenantID = Sample.otherTenant },
        Line("facts.connection.enabled", "false"): connection { $0.isEnabled = false },
        Line("facts.connection.entra_tenant_id", "another"): connection {
            $0.entraTenantID = Sample.otherDirectory
        },
        Line("facts.connection.credential", "false"): connection { $0.hasCredential = false },
        Line("facts.read_at", "past the run's limit"): { run, facts, _ in
            facts.readAt = run.expiresAt.addingTimeInterval(1)
        },
        Line("run.run_id", "another"): { run, _, _ in run.runID = Sample.activeRun },
        // For people and upstream systems only: they are not even read.
        Line("run.context.provider", "another"): { _, _, _ in },
        Line("run.context.module", "another"): { _, _, _ in },
        Line("run.context.execution_authority_mode", "the system's"): { run, _, _ in
            if run.initiatorID != nil { run.context?.authorityMode = .systemAuthority }
        },
        Line("run.context.execution_authority_mode", "a person's"): { run, _, _ in
            if run.initiatorID == nil { run.context?.authorityMode = .actorBound }
        },
        Line("attempt", "another"): { _, _, attempt in attempt += 1 },
    ]

    private static func tenant(_ change: @escaping @Sendable (inout AuthorityFacts.Tenant) -> Void) -> Change
    {
        { _, facts, _ in
            guard case .found(var tenant) = facts.tenant else { return }
            change(&tenant)
            facts.tenant = .found(tenant)
        }
    }

    private static func connection(
        _ change: @escaping @Sendable (inout AuthorityFacts.Connection) -> Void
    ) -> Change {
        { _, facts, _ in
            guard case .found(var connection) = facts.connection else { return }
            change(&connection)
            facts.connection = .found(connection)
        }
    }

    @Test func `the table has every input that is stored, and nothing else`() throws {
        let table = try Self.table()
        #expect(Set(table.map(\.line)) == Set(Self.changes.keys))
        #expect(table.count == Self.changes.count)
        let decision = Sample.decision(.restoreExecute, allowed: true).json
        let stored = Self.leaves(["run": decision["run"]!, "facts": decision["facts"]!], "")
        let named = Set(table.map(\.line.input))
        for leaf in stored {
            // A leaf stands in the table itself, or as part of what is there as a whole.
            #expect(named.contains(leaf), "\(leaf) is stored, and in no line")
        }
    }

    @Test(arguments: OperationType.allCases)
    func `one changed input fails the check that the table names, and no other`(type: OperationType) throws {
        let table = try Self.table()
        let systemMayRun = OperationCatalogue.definition(type).systemMayRun
        for isSystem in systemMayRun ? [false, true] : [false] {
            for phase in LegitimacyDecision.Phase.allCases {
                let base = LegitimacyGate.decide(
                    Sample.execution(type, system: isSystem), attempt: 1, phase: phase, facts: Sample.facts)
                #expect(base.isAllowed)
                for line in table {
                    var (run, facts, attempt) = (base.execution, base.facts, base.attempt)
                    Self.changes[line.line]!(&run, &facts, &attempt)
                    let changed = LegitimacyGate.decide(run, attempt: attempt, phase: phase, facts: facts)
                    let applies = line.applies(type, isSystem, phase)
                    let place = Comment(
                        rawValue: "\(type.rawValue), \(phase.rawValue), system \(isSystem): \(line.line)")
                    #expect(changed.denial == (applies ? line.reason : nil), place)
                    guard applies, let check = line.check,
                        let index = LegitimacyCheck.allCases.firstIndex(of: check)
                    else { continue }
                    #expect(changed.results.count == index + 1, place)
                    // Under another mode other checks apply; that they pass is all that can stay.
                    let isOtherMode =
                        changed.execution.context?.authorityMode != base.execution.context?.authorityMode
                    let before = isOtherMode && run.context != nil ? changed.results : base.results
                    #expect(changed.results.prefix(index) == before.prefix(index), place)
                }
            }
        }
    }

    // MARK: the table

    private struct Entry {
        let line: Line
        let check: LegitimacyCheck?
        let reason: DenialReason?
        let when: String

        func applies(_ type: OperationType, _ isSystem: Bool, _ phase: LegitimacyDecision.Phase) -> Bool {
            switch when {
            case "actor": !isSystem
            case "system": isSystem
            case "write": OperationCatalogue.definition(type).effect == .write
            case "waiting": phase == .start || phase == .begin
            default: true
            }
        }
    }

    private static func table() throws -> [Entry] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let file = "specs/149-queued-execution-reauthorization/contracts/execution-checks.json"
        let json = try JSON(parsing: [UInt8](Data(contentsOf: root.appending(path: file))))
        return try #require(json["inputs"]?.array).map { entry in
            let check = entry["check"]?.string
            let reason = entry["reason"]?.string
            let result = Entry(
                line: Line(try #require(entry["input"]?.string), try #require(entry["change"]?.string)),
                check: check.flatMap(LegitimacyCheck.init), reason: reason.flatMap(DenialReason.init),
                when: try #require(entry["case"]?.string))
            #expect((result.check == nil) == (check == nil) && (result.reason == nil) == (reason == nil))
            #expect(json["cases"]?[result.when]?.string != nil)
            return result
        }
    }

    /// The dotted names of all values of an object.
    private static func leaves(_ json: JSON, _ place: String) -> Set<String> {
        guard let object = json.object else { return [place] }
        return object.members.reduce(into: []) { all, member in
            all.formUnion(leaves(member.value, place.isEmpty ? member.key : "\(place).\(member.key)"))
        }
    }
}
