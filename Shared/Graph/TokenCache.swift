/// Who calls: one application in one directory. Limits of the provider and tokens belong to it.
struct ProviderAccount: Sendable, Hashable {
    let cloud: Cloud
    let entraTenantID: String
    let clientID: String
}

/// One token per account and credential, fetched once however many ask for it.
actor TokenCache {
    /// Another credential never meets a token of the one before.
    struct Key: Sendable, Hashable {
        let account: ProviderAccount
        let credentialVersion: Int
    }

    private var tokens: [Key: AccessToken] = [:]
    private var flights: [Key: Task<AccessToken, any Error>] = [:]

    /// The token of `key`; `fetch` gets one when there is none to use. `isFresh` passes the cache by.
    ///
    /// Everybody who asks meanwhile waits for the same fetch, and shares the provider's refusal. What only
    /// concerns the run that fetches (its permit was refused, its database failed) is not shared: the next
    /// one fetches for itself.
    func token(
        for key: Key, isFresh: Bool = false, fetch: @escaping @Sendable () async throws -> AccessToken
    ) async throws -> AccessToken {
        while true {
            if !isFresh, let token = tokens[key], token.isFresh(at: .now) { return token }
            guard let flight = flights[key] else { return try await depart(key, fetch).value }
            do {
                return try await flight.value
            } catch let failure as GraphFailure {
                throw failure
            } catch {
                try Task.checkCancellation()
            }
        }
    }

    /// Forgets a token that Graph refused, unless another has taken its place already.
    func drop(_ token: AccessToken, of key: Key) {
        if tokens[key]?.serial == token.serial { tokens[key] = nil }
    }

    private func depart(
        _ key: Key, _ fetch: @escaping @Sendable () async throws -> AccessToken
    ) -> Task<AccessToken, any Error> {
        let flight = Task {
            do {
                let token = try await fetch()
                land(key, token)
                return token
            } catch {
                flights[key] = nil
                throw error
            }
        }
        flights[key] = flight
        return flight
    }

    private func land(_ key: Key, _ token: AccessToken) {
        flights[key] = nil
        let now = ContinuousClock.now
        tokens = tokens.filter { $0.value.isFresh(at: now) }
        tokens[key] = token
    }
}
