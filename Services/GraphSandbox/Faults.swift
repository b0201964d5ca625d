import Synchronization

/// The armed faults. Each call asks once what will happen to it.
final class Faults: Sendable {
    /// The most faults that may be armed at a time.
    static let limit = 1_000
    /// The most calls that a quota remembers.
    private static let quotaMemory = 200_000

    private let state = Mutex(State())

    private struct State {
        var faults: [Fault] = []
        var lastID = 0
        /// Times of the calls that each quota counted.
        var windows: [Window: [Int64]] = [:]
    }

    /// What a quota counts by itself.
    private struct Window: Hashable {
        let fault: Int
        /// Nil: all tenants together.
        var tenant: String?
    }

    /// What happens to one call, and the kinds that the journal names.
    struct Plan: Sendable {
        var refusal: FaultEffect?
        /// Seconds until the quota has room again.
        var quotaWait: Int?
        var delayMilliseconds = 0
        var afterwards: FaultEffect?
        var churn: [Churn] = []
        var emptyPage = false
        var nextLink: NextLinkForm?
        var kinds: [String] = []
    }

    /// Arms a fault and returns it with its id; nil when too many are armed.
    func arm(_ fault: Fault) -> Fault? {
        state.withLock { state in
            guard state.faults.count < Self.limit else { return nil }
            state.lastID += 1
            var fault = fault
            fault.id = state.lastID
            state.faults.append(fault)
            return fault
        }
    }

    /// All faults, used-up ones included.
    var all: [Fault] { state.withLock { $0.faults } }

    /// Disarms one fault; false when there is none with that id.
    func disarm(_ id: Int) -> Bool {
        state.withLock { state in
            let before = state.faults.count
            state.faults.removeAll { $0.id == id }
            state.windows = state.windows.filter { $0.key.fault != id }
            return state.faults.count < before
        }
    }

    func disarmAll() {
        state.withLock { state in
            state.faults = []
            state.windows = [:]
        }
    }

    /// Decides what happens to a call, and counts it. The first refusal in arming order wins; delays add up.
    func plan(for call: FaultTarget, now: Int64) -> Plan {
        state.withLock { state in
            var plan = Plan()
            guard !state.faults.isEmpty else { return plan }
            for index in state.faults.indices {
                let fault = state.faults[index]
                guard !fault.effect.isState, fault.isActive(at: now), fault.applies(to: call) else {
                    continue
                }
                guard Self.isWanted(fault.effect, plan) else { continue }
                if fault.skip > 0 {
                    state.faults[index].skip -= 1
                    continue
                }
                if let quota = Self.quota(fault.effect) {
                    var window = Window(fault: fault.id)
                    if quota.isPerTenant { window.tenant = call.tenant }
                    plan.quotaWait = Self.wait(
                        &state.windows[window, default: []], requests: quota.requests,
                        window: Int64(quota.seconds) * 1_000_000_000, now: now)
                    guard plan.quotaWait != nil else { continue }
                }
                plan.add(fault.effect)
                state.faults[index].hits += 1
                state.faults[index].remaining = fault.remaining.map { $0 - 1 }
            }
            return plan
        }
    }

    private static func quota(
        _ effect: FaultEffect
    ) -> (requests: Int, seconds: Int, isPerTenant: Bool)? {
        switch effect {
        case .quota(let requests, let seconds): (requests, seconds, false)
        case .writeQuota(let requests, let seconds): (requests, seconds, true)
        default: nil
        }
    }

    /// Whether the plan has still room for the effect: one refusal, and one thing that happens to the answer.
    private static func isWanted(_ effect: FaultEffect, _ plan: Plan) -> Bool {
        switch effect {
        case .slow: true
        case .churn, .emptyPage, .nextLink: plan.refusal == nil
        case .trickle, .resetAfterCommit, .truncate: plan.refusal == nil && plan.afterwards == nil
        default: plan.refusal == nil
        }
    }

    /// Counts the call in the window; the seconds until there is room again when it is one too many.
    private static func wait(_ times: inout [Int64], requests: Int, window: Int64, now: Int64) -> Int? {
        times.removeAll { $0 <= now - window }
        if times.count < quotaMemory { times.append(now) }
        guard times.count > requests else { return nil }
        let oldest = times[times.count - requests]
        return max(1, Int((oldest + window - now + 999_999_999) / 1_000_000_000))
    }

    /// How long new tokens of the tenant live, when that is shortened.
    func tokenLifetime(tenant: String, now: Int64) -> Int? {
        states(tenant, now).compactMap { effect -> Int? in
            if case .shortTokens(let seconds) = effect { seconds } else { nil }
        }.min()
    }

    /// The permissions that new tokens of the tenant lack.
    func removedRoles(tenant: String, now: Int64) -> Set<String> {
        Set(
            states(tenant, now).flatMap { effect -> [String] in
                if case .rolesRemoved(let roles, _) = effect { roles } else { [] }
            })
    }

    /// The permissions that no token of the tenant has any more, whatever it says.
    func revokedRoles(tenant: String, now: Int64) -> Set<String> {
        Set(
            states(tenant, now).flatMap { effect -> [String] in
                if case .rolesRemoved(let roles, atOnce: true) = effect { roles } else { [] }
            })
    }

    /// How lists lag behind a write of the tenant that is made now.
    func listLag(tenant: String, now: Int64) -> EntityShelf.Lag? {
        for effect in states(tenant, now) {
            switch effect {
            case .listLag(.listings(let count)): return .listings(count)
            case .listLag(.milliseconds(let duration)): return .until(now + Int64(duration) * 1_000_000)
            default: continue
            }
        }
        return nil
    }

    private func states(_ tenant: String, _ now: Int64) -> [FaultEffect] {
        state.withLock { state in
            guard !state.faults.isEmpty else { return [] }
            return state.faults.filter {
                $0.effect.isState && $0.isActive(at: now) && ($0.tenant == nil || $0.tenant == tenant)
            }.map(\.effect)
        }
    }
}

extension Faults.Plan {
    fileprivate mutating func add(_ effect: FaultEffect) {
        kinds.append(effect.kind)
        switch effect {
        case .slow(let milliseconds): delayMilliseconds += milliseconds
        case .churn(let churn): self.churn.append(churn)
        case .emptyPage: emptyPage = true
        case .nextLink(let form): nextLink = form
        case .trickle, .resetAfterCommit, .truncate: afterwards = effect
        case .throttle, .outage, .error, .echo, .unauthorized, .claimsChallenge, .quota, .reset, .tokenError,
            .expiredSkipToken, .writeQuota:
            refusal = effect
        case .shortTokens, .rolesRemoved, .listLag: break
        }
    }
}
