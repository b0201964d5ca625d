import Operations
import SeededRandom
import Testing

/// How attempts come back.
struct RetryPolicyTests {
    static let policies: [RetryPolicy] = [.reads, .writes]

    /// The delays without their spread, literally.
    static func fullDelays(_ policy: RetryPolicy) -> [Double] {
        switch policy {
        case .reads: [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
        case .writes: [5, 10, 20, 40, 80, 160, 320]
        default: [2, 4, 8, 16, 32, 64, 128, 256, 512] + Array(repeating: 600, count: 390)
        }
    }

    @Test(arguments: policies)
    func `delays double up to the longest, spread over their upper half`(policy: RetryPolicy) throws {
        var (random, seed) = SplitMix.announced(for: "retry delays")
        for (index, full) in Self.fullDelays(policy).enumerated() {
            #expect(policy.delay(after: index + 1, random: 0) == full / 2)
            for _ in 0..<500 {
                let spread = Double.random(in: 0..<1, using: &random)
                let delay = try #require(policy.delay(after: index + 1, random: spread))
                #expect((full / 2..<full).contains(delay), "seed \(seed)")
            }
        }
    }

    @Test(arguments: policies)
    func `attempts end`(policy: RetryPolicy) {
        let limit = policy.attemptLimit
        #expect(limit == Self.fullDelays(policy).count + 1)
        for attempt in [limit, limit + 1, 1_000_000] {
            #expect(policy.delay(after: attempt, random: 0) == nil)
            #expect(policy.delay(after: attempt, random: 0, retryAfterSeconds: 1) == nil)
        }
    }

    @Test(arguments: [(nil, 1), (-5, 1), (0, 1), (0.5, 1), (1, 1), (1.5, 1.5), (600, 600), (900, 900)])
    func `what the provider asks for is a lower bound`(asked: Double?, delay: Double) {
        #expect(RetryPolicy.reads.delay(after: 1, random: 0, retryAfterSeconds: asked) == delay)
    }

    @Test(arguments: [900.001, 901, 1e300, .infinity, .nan])
    func `who asks for more than the limit ends the attempts`(asked: Double) {
        #expect(RetryPolicy.reads.delay(after: 1, random: 0, retryAfterSeconds: asked) == nil)
        #expect(RetryPolicy.writes.delay(after: 1, random: 0, retryAfterSeconds: asked) == nil)
    }

    @Test func `an attempt before the first counts as the first`() {
        #expect(RetryPolicy.reads.delay(after: 0, random: 0) == 1)
        #expect(RetryPolicy.reads.delay(after: -7, random: 0) == 1)
    }
}
