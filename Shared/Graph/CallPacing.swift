internal import Operations

/// Paces the calls of each account: so many at once, and none while the provider asked for a pause. A throttled
/// tenant holds up its own runs only.
actor CallPacing {
    /// The most calls of one account at once.
    static let mostAtOnce = 4

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct Account {
        var underWay = 0
        var pausedUntil: ContinuousClock.Instant?
        var waiting: [Waiter] = []

        func isIdle(at now: ContinuousClock.Instant) -> Bool {
            underWay == 0 && waiting.isEmpty && (pausedUntil ?? now) <= now
        }
    }

    private var accounts: [ProviderAccount: Account] = [:]
    private var lastWaiter: UInt64 = 0

    /// Waits for a place; ``leave(_:)`` gives it back. Throws ``GraphFailure`` (`throttled`) when the pause is
    /// longer than a call should wait, and `CancellationError`.
    func enter(_ account: ProviderAccount, call: String) async throws {
        while true {
            try await waitForPause(account, call: call)
            if accounts[account, default: Account()].underWay < Self.mostAtOnce {
                accounts[account, default: Account()].underWay += 1
                return
            }
            try await waitForPlace(account)
        }
    }

    /// Gives a place back.
    func leave(_ account: ProviderAccount) {
        guard var state = accounts[account] else { return }
        state.underWay -= 1
        // All of them look again: one that gives up meanwhile must not keep the place from the others.
        for waiter in state.waiting { waiter.continuation.resume() }
        state.waiting = []
        accounts[account] = state.isIdle(at: .now) ? nil : state
    }

    /// Lets no call of the account begin for so many seconds.
    func pause(_ account: ProviderAccount, seconds: Double) {
        let now = ContinuousClock.now
        accounts = accounts.filter { !$0.value.isIdle(at: now) }
        let until = now + .seconds(seconds)
        let present = accounts[account, default: Account()].pausedUntil ?? until
        accounts[account, default: Account()].pausedUntil = max(present, until)
    }

    private func waitForPause(_ account: ProviderAccount, call: String) async throws {
        while let until = accounts[account]?.pausedUntil {
            let left = (until - ContinuousClock.now) / .seconds(1)
            guard left > 0 else { return }
            guard left <= InPlaceRetry.longestWait + 1 else {
                throw GraphFailure(.throttled, call: call, retryAfterSeconds: left)
            }
            try await Task.sleep(until: until, clock: .continuous)
        }
    }

    private func waitForPlace(_ account: ProviderAccount) async throws {
        lastWaiter += 1
        let id = lastWaiter
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                add(Waiter(id: id, continuation: continuation), to: account)
            }
        } onCancel: {
            Task { await self.cancel(id, account) }
        }
    }

    private func add(_ waiter: Waiter, to account: ProviderAccount) {
        if Task.isCancelled { return waiter.continuation.resume(throwing: CancellationError()) }
        accounts[account]!.waiting.append(waiter)
    }

    private func cancel(_ id: UInt64, _ account: ProviderAccount) {
        guard let index = accounts[account]?.waiting.firstIndex(where: { $0.id == id }) else { return }
        accounts[account]!.waiting.remove(at: index).continuation.resume(throwing: CancellationError())
    }
}
