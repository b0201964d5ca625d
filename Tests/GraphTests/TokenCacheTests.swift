import JSON
import Operations
import Store
import Synchronization
import Testing

@testable import Graph

@Suite struct TokenCacheTests {
    private static let account = ProviderAccount(cloud: .global, entraTenantID: "t", clientID: "c")
    private let key = TokenCache.Key(account: account, credentialVersion: 1)

    /// Hands out tokens with rising serials, and counts.
    private final class Source: Sendable {
        private let served = Mutex<UInt64>(0)
        let lifetime: Double
        init(lifetime: Double = 3_600) { self.lifetime = lifetime }
        var count: UInt64 { served.withLock { $0 } }

        func fetch() async throws -> AccessToken {
            let serial = served.withLock { count in
                count += 1
                return count
            }
            await Task.yield()
            return TokenSample.token(lifetime: .number(lifetime), serial: serial)!
        }
    }

    @Test func oneFetchServesAll() async throws {
        let cache = TokenCache()
        let source = Source()
        let serials = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for _ in 0..<100 {
                group.addTask { try await cache.token(for: key) { try await source.fetch() }.serial }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(serials == [1])
        #expect(source.count == 1)
    }

    @Test func accountsAndCredentialsHaveTheirOwn() async throws {
        let cache = TokenCache()
        let source = Source()
        let keys = [
            key, TokenCache.Key(account: Self.account, credentialVersion: 2),
            TokenCache.Key(
                account: ProviderAccount(cloud: .china, entraTenantID: "t", clientID: "c"),
                credentialVersion: 1),
            TokenCache.Key(
                account: ProviderAccount(cloud: .global, entraTenantID: "u", clientID: "c"),
                credentialVersion: 1),
        ]
        for key in keys + keys { _ = try await cache.token(for: key) { try await source.fetch() } }
        #expect(source.count == 4)
    }

    @Test func usedUpTokensAreReplaced() async throws {
        let cache = TokenCache()
        let source = Source(lifetime: 1e-9)
        for expected in 1...3 {
            #expect(try await cache.token(for: key) { try await source.fetch() }.serial == UInt64(expected))
        }
    }

    @Test func onlyTheRefusedTokenIsDropped() async throws {
        let cache = TokenCache()
        let source = Source()
        let first = try await cache.token(for: key) { try await source.fetch() }
        await cache.drop(first, of: key)
        let second = try await cache.token(for: key) { try await source.fetch() }
        // A late refusal of the first token must not cost the second.
        await cache.drop(first, of: key)
        #expect(try await cache.token(for: key) { try await source.fetch() }.serial == second.serial)
        #expect(source.count == 2)
    }

    @Test func freshMeansFresh() async throws {
        let cache = TokenCache()
        let source = Source()
        _ = try await cache.token(for: key) { try await source.fetch() }
        #expect(try await cache.token(for: key, isFresh: true) { try await source.fetch() }.serial == 2)
        #expect(try await cache.token(for: key) { try await source.fetch() }.serial == 2)
    }

    /// Opens when it is told to.
    private actor Barrier {
        private var isOpen = false
        private var waiting: [CheckedContinuation<Void, Never>] = []
        var hasArrived: Bool { !waiting.isEmpty }

        func pass() async {
            if !isOpen { await withCheckedContinuation { waiting.append($0) } }
        }

        func open() {
            isOpen = true
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
    }

    /// Many ask while one fetch is held back and then fails with `error`; returns how all came out.
    private func outcomes(
        whenTheFetchFailsWith error: any Error, then source: Source
    ) async throws -> [Result<UInt64, any Error>] {
        let cache = TokenCache()
        let barrier = Barrier()
        let first = Task {
            try await cache.token(for: key) {
                await barrier.pass()
                throw error
            }.serial
        }
        while await !barrier.hasArrived { await Task.yield() }
        let others = (0..<10).map { _ in
            Task { try await cache.token(for: key) { try await source.fetch() }.serial }
        }
        for _ in 0..<1_000 { await Task.yield() }
        await barrier.open()
        var results = [await first.result]
        for other in others { results.append(await other.result) }
        return results
    }

    @Test func theProvidersRefusalIsShared() async throws {
        let source = Source()
        let refusal = GraphFailure(.credentialExpired, call: "POST /x")
        let results = try await outcomes(whenTheFetchFailsWith: refusal, then: source)
        #expect(results.allSatisfy { throwing($0) as? GraphFailure == refusal })
        #expect(source.count == 0)
    }

    @Test func anothersRefusedPermitIsNot() async throws {
        let source = Source()
        let results = try await outcomes(whenTheFetchFailsWith: CallRefusal.cancelled, then: source)
        #expect(throwing(results[0]) is CallRefusal)
        #expect(results.dropFirst().allSatisfy { (try? $0.get()) == 1 })
        #expect(source.count == 1)
    }

    private func throwing(_ result: Result<UInt64, any Error>) -> (any Error)? {
        if case .failure(let error) = result { error } else { nil }
    }
}
