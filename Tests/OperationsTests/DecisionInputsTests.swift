import FoundationEssentials
import JSON
import Operations
import Testing

/// Stored contexts and records that are damaged: none is read as something that it is not.
struct DecisionInputsTests {
    static let context = Sample.context(.backupRun).json(module: "inventory")

    /// Every member but the two that are for people and upstream systems.
    @Test(arguments: [
        "provider_connection_id", "workspace_id", "tenant_id", "target_scope", "execution_authority_mode",
        "origin", "required_capability", "freeze_generation",
    ])
    func `a context without a member, or with another kind of value, is unreadable`(key: String) throws {
        var object = try #require(Self.context.object)
        object[key] = nil
        #expect(QueuedExecutionContext(json: .object(object)) == nil)
        for foreign: JSON in [.null, 1.5, true, "x", [], ["entra_tenant_id": 1]] {
            object[key] = .some(foreign)
            #expect(QueuedExecutionContext(json: .object(object)) == nil)
        }
    }

    @Test(arguments: [JSON.null, "text", [], [:], 1])
    func `what is no context is unreadable`(json: JSON) {
        #expect(QueuedExecutionContext(json: json) == nil)
        #expect(QueuedExecution(json: json) == nil)
        #expect(AuthorityFacts(json: json) == nil)
    }

    @Test(arguments: OperationType.allCases, [true, false])
    func `a context is read back as it was written`(type: OperationType, isSystem: Bool) {
        let context = Sample.context(type, system: isSystem)
        #expect(QueuedExecutionContext(json: context.json(module: "any")) == context)
    }

    /// P031: what every run's context tells.
    @Test func `a context has the members that every provider run has`() {
        #expect(Self.context["provider"] == "microsoft_graph")
        #expect(Self.context["module"] == "inventory")
        #expect(Self.context["provider_connection_id"] == .string("\(Sample.connection)"))
        #expect(Self.context["execution_authority_mode"] == "actor_bound")
        #expect(Self.context["required_capability"] == "backup.run")
    }

    /// A grant that can't be read is no grant: the gate then refuses.
    @Test func `an unreadable grant is refused`() throws {
        var object = try #require(Self.context.object)
        object["grant_id"] = "damaged"
        var run = Sample.execution(.backupRun)
        run.context = QueuedExecutionContext(json: .object(object))
        let decision = LegitimacyGate.decide(run, attempt: 1, phase: .begin, facts: Sample.facts)
        #expect(decision.denial == .grantSuperseded)
    }

    @Test func `facts with a damaged part are no facts`() throws {
        let whole = try #require(Sample.facts.json.object)
        #expect(AuthorityFacts(json: .object(whole)) == Sample.facts)
        for part in ["read_at", "initiator", "entitlement", "tenant", "connection"] {
            for foreign: JSON? in [nil, .null, "found", [:], 1] {
                var object = whole
                object[part] = foreign
                #expect(AuthorityFacts(json: .object(object)) == nil)
            }
        }
        for part in ["entitlement", "tenant", "connection"] {
            for key in try #require(whole[part]?.object).keys {
                var object = whole
                var inner = try #require(whole[part]?.object)
                inner[key] = nil
                object[part] = .object(inner)
                #expect(AuthorityFacts(json: .object(object)) == nil, "\(part).\(key)")
            }
        }
    }
}
