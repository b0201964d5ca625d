import JSON
import Testing

@testable import GraphSandbox

@Suite struct FaultTests {
    private let faults = Faults()

    private func call(
        _ path: String = "/v1.0/organization", tenant: String? = "t", method: String = "GET",
        endpoint: Fault.Endpoint = .graph, page: FaultTarget.Page = .none
    ) -> FaultTarget {
        FaultTarget(
            endpoint: endpoint, tenant: tenant, method: method, path: path, page: page,
            listsDevices: page != .none)
    }

    @discardableResult
    private func arm(_ json: JSON, now: Int64 = 0) throws -> Fault {
        var body = try ControlBody(json)
        return try #require(faults.arm(try Fault(&body, now: now)))
    }

    private func refusals(_ calls: Int, _ target: FaultTarget, now: Int64 = 1) -> [Bool] {
        (0..<calls).map { _ in faults.plan(for: target, now: now).refusal != nil }
    }

    @Test func skipsThenCounts() throws {
        try arm(["kind": "throttle", "skip": 2, "count": 3])
        #expect(refusals(7, call()) == [false, false, true, true, true, false, false])
        #expect(faults.all[0].hits == 3)
        #expect(!faults.all[0].isActive(at: 1))
    }

    @Test func staysUntilItIsDisarmed() throws {
        let fault = try arm(["kind": "outage"])
        #expect(refusals(3, call()) == [true, true, true])
        #expect(faults.disarm(fault.id))
        #expect(!faults.disarm(fault.id))
        #expect(refusals(1, call()) == [false])
    }

    @Test func endsByTime() throws {
        try arm(["kind": "outage", "seconds": 2], now: 1_000)
        #expect(refusals(1, call(), now: 2_000_000_999) == [true])
        #expect(refusals(1, call(), now: 2_000_001_000) == [false])
    }

    @Test(
        arguments: [
            (["kind": "reset"], true), (["kind": "reset", "tenant": "T"], true),
            (["kind": "reset", "tenant": "u"], false), (["kind": "reset", "method": "get"], true),
            (["kind": "reset", "method": "POST"], false), (["kind": "reset", "path": "/v1.0/org"], true),
            (["kind": "reset", "path": "/beta/*"], false), (["kind": "reset", "endpoint": "token"], false),
            (["kind": "reset", "endpoint": "any"], true), (["kind": "expiredSkipToken"], false),
        ] as [(JSON, Bool)])
    func appliesWhereItWasAimed(_ fault: JSON, _ applies: Bool) throws {
        try arm(fault)
        #expect(refusals(1, call()) == [applies])
    }

    @Test func theFirstRefusalWinsAndDelaysAddUp() throws {
        try arm(["kind": "slow", "delayMs": 10])
        try arm(["kind": "throttle", "count": 1])
        try arm(["kind": "outage", "count": 1])
        try arm(["kind": "slow", "delayMs": 5])
        let first = faults.plan(for: call(), now: 1)
        #expect(first.refusal == .throttle(.seconds(1)))
        #expect(first.delayMilliseconds == 15)
        #expect(first.kinds == ["slow", "throttle", "slow"])
        #expect(faults.plan(for: call(), now: 1).refusal == .outage(status: 503, html: false, .absent))
        #expect(faults.plan(for: call(), now: 1).refusal == nil)
    }

    @Test func pageFaultsNeedAPage() throws {
        try arm(["kind": "churn", "insert": 1])
        try arm(["kind": "emptyPage", "count": 1])
        #expect(faults.plan(for: call(page: .first), now: 1).churn.isEmpty)
        let following = faults.plan(for: call(page: .following), now: 1)
        #expect(following.churn == [Churn(insert: 1)])
        #expect(!following.emptyPage)
        #expect(faults.plan(for: call(), now: 1).kinds.isEmpty)
    }

    /// Refused calls count, as at Graph: a client that doesn't wait never gets through.
    @Test func quotasSlideAndCountRefusedCalls() throws {
        try arm(["kind": "quota", "requests": 2, "windowSeconds": 10])
        let second: Int64 = 1_000_000_000
        #expect(faults.plan(for: call(), now: 1 * second).refusal == nil)
        #expect(faults.plan(for: call(), now: 2 * second).refusal == nil)
        let third = faults.plan(for: call(), now: 3 * second)
        #expect(third.refusal != nil)
        #expect(third.quotaWait == 9)
        #expect(faults.plan(for: call(), now: 12 * second).refusal == nil)
        #expect(faults.plan(for: call(), now: 12 * second).refusal != nil)
        #expect(faults.plan(for: call(), now: 30 * second).refusal == nil)
    }

    @Test func statesAreLookedUpPerTenant() throws {
        try arm(["kind": "shortTokens", "lifetimeSeconds": 5, "tenant": "t"])
        let removed = try arm(["kind": "rolesRemoved", "roles": ["Organization.Read.All"]])
        try arm(["kind": "rolesRemoved", "roles": ["Group.Read.All"], "atOnce": true])
        #expect(faults.tokenLifetime(tenant: "t", now: 1) == 5)
        #expect(faults.tokenLifetime(tenant: "u", now: 1) == nil)
        #expect(faults.removedRoles(tenant: "t", now: 1) == ["Organization.Read.All", "Group.Read.All"])
        #expect(faults.revokedRoles(tenant: "t", now: 1) == ["Group.Read.All"])
        _ = faults.disarm(removed.id)
        #expect(faults.removedRoles(tenant: "t", now: 1) == ["Group.Read.All"])
        faults.disarmAll()
        #expect(faults.removedRoles(tenant: "t", now: 1).isEmpty)
    }

    @Test(arguments: [
        [:] as JSON, ["kind": "x"], ["kind": "throttle", "retryAfter": -1], ["kind": "throttle", "cuont": 1],
        ["kind": "throttle", "count": 0], ["kind": "throttle", "count": 1.5],
        ["kind": "throttle", "tenant": 5],
        ["kind": "throttle", "retryAfterForm": "soon"], ["kind": "outage", "status": 429],
        ["kind": "slow"], ["kind": "quota"], ["kind": "tokenError"], ["kind": "tokenError", "code": 1],
        ["kind": "rolesRemoved", "roles": ["Nope.All"]], ["kind": "rolesRemoved", "roles": [], "count": 1],
        ["kind": "churn"], ["kind": "nextLink"], ["kind": "reset", "endpoint": "x"], "text", [1],
    ])
    func refusesBodiesThatMakeNoSense(_ json: JSON) {
        #expect(throws: ControlFailure.self) {
            var body = try ControlBody(json)
            _ = try Fault(&body, now: 0)
        }
    }

    @Test func everyKindCanBeArmedAndIsShownByItsName() throws {
        let all: [JSON] = [
            ["kind": "throttle"], ["kind": "outage"], ["kind": "error"], ["kind": "unauthorized"],
            ["kind": "claimsChallenge"], ["kind": "quota", "requests": 1], ["kind": "slow", "delayMs": 1],
            ["kind": "trickle", "delayMs": 1], ["kind": "reset"], ["kind": "resetAfterCommit"],
            ["kind": "truncate"],
            ["kind": "tokenError", "code": 7_000_222], ["kind": "shortTokens", "lifetimeSeconds": 1],
            ["kind": "rolesRemoved", "roles": []], ["kind": "churn", "delete": 1], ["kind": "emptyPage"],
            ["kind": "expiredSkipToken"], ["kind": "nextLink", "form": "foreignHost"],
        ]
        for json in all {
            #expect(try arm(json).json(now: 1)["kind"] == json["kind"])
            // A kind that --help doesn't name can't be found by anyone.
            #expect(Help.text.contains(try #require(json["kind"]?.string)))
        }
    }

    @Test func armsOnlySoMany() throws {
        for _ in 0..<Faults.limit { try arm(["kind": "reset", "count": 1]) }
        var body = try ControlBody(["kind": "reset"] as JSON)
        #expect(faults.arm(try Fault(&body, now: 0)) == nil)
    }
}
