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
        /// Times of the calls that each quota counted, by the fault's id.
        var windows: [Int: [Int64]] = [:]
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
            state.windows[id] = nil
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
                if case .quota(let requests, let seconds) = fault.effect {
                    let window = Int64(seconds) * 1_000_000_000
                    plan.quotaWait = Self.wait(
                        &state.windows[fault.id, default: []], requests: requests, window: window, now: now)
                    guard plan.quotaWait != nil else { continue }
                }
                plan.add(fault.effect)
                state.faults[index].hits += 1
                state.faults[index].remaining = fault.remaining.map { $0 - 1 }
            }
            return plan
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
        case .throttle, .outage, .error, .unauthorized, .claimsChallenge, .quota, .reset, .tokenError,
            .expiredSkipToken:
            refusal = effect
        case .shortTokens, .rolesRemoved: break
        }
    }
}
