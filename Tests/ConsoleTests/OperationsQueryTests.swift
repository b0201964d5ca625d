import FoundationEssentials
import Operations
import Testing

@testable import Console

/// The words of the filter bar.
struct OperationsQueryTests {
    @Test func everythingAtOnce() {
        let query = OperationsQuery(
            #"outcome:blocked reason:capability_missing tenant:"Contoso Ltd" type:inventory.sync since:24h by:me"#
        )
        #expect(query.outcome == .blocked && query.reason == .denial(.capabilityMissing))
        #expect(query.tenant == "Contoso Ltd" && query.operation == .inventorySync)
        #expect(query.sinceSeconds == 86_400 && query.startedBy == .me && query.faults.isEmpty)
    }

    @Test func everyWordOfTheRegistriesIsKnown() {
        for outcome in RunOutcome.allCases {
            #expect(OperationsQuery("outcome:\(outcome.rawValue)").outcome == outcome)
        }
        for type in OperationType.allCases {
            #expect(OperationsQuery("type:\(type.rawValue)").operation == type)
        }
        for reason in DenialReason.allCases {
            #expect(OperationsQuery("reason:\(reason.rawValue)").reason == .denial(reason))
        }
        for failure in ProviderFailure.allCases {
            #expect(OperationsQuery("reason:\(failure.rawValue)").reason?.code == failure.rawValue)
        }
        #expect(OperationsQuery("state:waiting").isWaiting == true)
        #expect(OperationsQuery("state:queued").isWaiting == false)
        #expect(OperationsQuery("state:running").state == .running)
        #expect(OperationsQuery("by:system").startedBy == .system)
        #expect(OperationsQuery(#"by:"Omar Reyes""#).startedBy == .named("Omar Reyes"))
    }

    @Test func aWordAloneIsATenantOrARun() {
        let id = RunID(UUID())
        #expect(OperationsQuery("\(id)").run == id)
        #expect(OperationsQuery("contoso").tenant == "contoso")
        #expect(OperationsQuery("   ") == OperationsQuery(""))
    }

    @Test(arguments: [
        "outcome:green", "state:active", "since:yesterday", "since:0h", "since:h", "since:99999d",
        "reason:nope",
        "type:nothing", "connection:x", "colour:red",
    ])
    func whatIsNotUnderstoodIsTold(text: String) {
        let query = OperationsQuery("\(text) outcome:failed")
        #expect(query.faults.count == 1, "\(query.faults)")
        #expect(query.outcome == .failed)
    }

    /// Whatever somebody types, it is read.
    @Test func nothingBreaksIt() {
        for text in [
            "\"", "::", ":", "a:", ":b", "\"a:b", "tenant:\"\"", String(repeating: "x:y ", count: 10_000),
        ] {
            _ = OperationsQuery(text)
        }
    }
}
