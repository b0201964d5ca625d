import JSON
import Operations
import Testing

/// The table of design.md, section 4, literally.
struct DenialTests {
    static let table: [(code: String, denialClass: String, isRetryable: Bool)] = [
        ("initiator_missing", "initiator_invalid", false),
        ("initiator_disabled", "initiator_invalid", false),
        ("workspace_mismatch", "scope_denied", false),
        ("scope_mismatch", "scope_denied", false),
        ("tenant_not_entitled", "scope_denied", false),
        ("grant_superseded", "scope_denied", false),
        ("capability_missing", "capability_denied", false),
        ("tenant_archived", "tenant_not_operable", false),
        ("tenant_suspended", "tenant_not_operable", true),
        ("tenant_onboarding", "tenant_not_operable", true),
        ("connection_missing", "connection_invalid", false),
        ("connection_disabled", "connection_invalid", false),
        ("connection_scope_changed", "connection_invalid", false),
        ("credential_missing", "connection_invalid", false),
        ("write_gate_closed", "write_gate_denied", false),
        ("write_gate_unhealthy", "write_gate_denied", true),
        ("write_gate_stale", "write_gate_denied", true),
        ("system_operation_not_allowed", "system_authority_denied", false),
        ("run_expired", "execution_invalid", false),
        ("operation_unknown", "execution_invalid", false),
        ("authority_store_unavailable", "authority_unavailable", true),
    ]

    @Test(arguments: table)
    func `a reason has one class and one retryability`(
        code: String, denialClass: String, isRetryable: Bool
    ) throws {
        let reason = try #require(DenialReason(rawValue: code))
        #expect(reason.denialClass.rawValue == denialClass)
        #expect(reason.isRetryable == isRetryable)
    }

    @Test func `the table has every reason once, and every class`() {
        #expect(Self.table.map(\.code).sorted() == DenialReason.allCases.map(\.rawValue).sorted())
        #expect(Set(Self.table.map(\.denialClass)) == Set(DenialClass.allCases.map(\.rawValue)))
    }

    @Test func `these failures of a provider may pass by themselves, and no others`() {
        let retryable = ProviderFailure.allCases.filter(\.isRetryable).map(\.rawValue)
        #expect(
            Set(retryable) == ["throttled", "unavailable", "timeout", "malformed_answer", "worker_lost"])
    }

    @Test func `the code of a reason is read back as the same reason, and no two share one`() {
        let reasons =
            DenialReason.allCases.map(RunReason.denial) + ProviderFailure.allCases.map(RunReason.failure)
        for reason in reasons { #expect(RunReason(code: reason.code) == reason) }
        #expect(Set(reasons.map(\.code)).count == reasons.count)
        #expect(RunReason(code: "because") == nil)
        #expect(RunReason(code: "") == nil)
    }

    @Test(arguments: [true, false])
    func `the record of a decision says the answer in stable words`(isAllowed: Bool) {
        let record = Sample.decision(.policySync, allowed: isAllowed).json
        #expect(record["decision"] == (isAllowed ? "allowed" : "denied"))
        #expect(record["denial_class"] == (isAllowed ? .null : "tenant_not_operable"))
        #expect(record["reason_code"] == (isAllowed ? .null : "tenant_suspended"))
        #expect(record["retryable"] == (isAllowed ? .null : true))
        #expect(record["phase"] == "begin")
        #expect(record["attempt"] == 1)
        #expect(record["policy_version"] == 1)
        #expect(record["authority_mode"] == "actor_bound")
        #expect(record["checks"]?.object?.keys == Array(GateOracle.order.prefix(isAllowed ? 16 : 11)))
        #expect(record["checks"]?["tenant_operable"] == (isAllowed ? "passed" : "tenant_suspended"))
        #expect(record["checks"]?["system_allowlisted"] == "not_applicable")
        #expect(record["facts"]?["tenant"]?["authority_epoch"] == 7)
        #expect(record["run"]?["context"]?["target_scope"]?["entra_tenant_id"] == .string(Sample.directory))
        #expect(record["run"]?["context"]?["target_scope"]?["entra_tenant_name"] == "Contoso")
    }

    @Test func `what stays in the run's context is the answer, and when it was given`() {
        let summary = Sample.decision(.policySync, allowed: false).summary
        #expect(
            summary
                == [
                    "decision": "denied", "phase": "begin", "attempt": 1,
                    "denial_class": "tenant_not_operable", "reason_code": "tenant_suspended",
                    "retryable": true, "authority_epoch": 7,
                    "evaluated_at": "2026-11-21T09:00:00.000000Z", "policy_version": 1,
                ])
    }
}
