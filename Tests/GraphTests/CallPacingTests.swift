import Operations
import Testing

@testable import Graph

@Suite struct CallPacingTests {
    private let account = ProviderAccount(cloud: .global, entraTenantID: "t", clientID: "c")
    private let other = ProviderAccount(cloud: .global, entraTenantID: "u", clientID: "c")

    /// Counts who is inside.
    private actor Room {
        private var now = 0
        private(set) var most = 0

        func enter() {
            now += 1
            most = max(most, now)
        }

        func leave() { now -= 1 }
    }

    @Test func soManyAtOnceAndNoMore() async throws {
        let pacing = CallPacing()
        let room = Room()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await pacing.enter(account, call: "x")
                    await room.enter()
                    for _ in 0..<5 { await Task.yield() }
                    await room.leave()
                    await pacing.leave(account)
                }
            }
            try await group.waitForAll()
        }
        #expect(await room.most == CallPacing.mostAtOnce)
    }

    @Test func aFullAccountHoldsUpNoOther() async throws {
        let pacing = CallPacing()
        for _ in 0..<CallPacing.mostAtOnce { try await pacing.enter(account, call: "x") }
        try await pacing.enter(other, call: "x")
        await pacing.leave(other)
    }

    @Test func whoGivesUpKeepsNoPlace() async throws {
        let pacing = CallPacing()
        for _ in 0..<CallPacing.mostAtOnce { try await pacing.enter(account, call: "x") }
        let impatient = Task { try await pacing.enter(account, call: "x") }
        let patient = Task { try await pacing.enter(account, call: "x") }
        for _ in 0..<1_000 { await Task.yield() }
        impatient.cancel()
        await #expect(throws: CancellationError.self) { try await impatient.value }
        await pacing.leave(account)
        try await patient.value
    }

    @Test func aLongPauseIsNotWaitedFor() async throws {
        let pacing = CallPacing()
        await pacing.pause(account, seconds: 60)
        let failure = await #expect(throws: GraphFailure.self) {
            try await pacing.enter(account, call: "GET /x")
        }
        #expect(failure?.failure == .throttled)
        #expect((55...60).contains(failure?.retryAfterSeconds ?? 0))
        try await pacing.enter(other, call: "x")
    }

    @Test func aShorterPauseDoesNotEndALongerOne() async throws {
        let pacing = CallPacing()
        await pacing.pause(account, seconds: 60)
        await pacing.pause(account, seconds: 0)
        await #expect(throws: GraphFailure.self) { try await pacing.enter(account, call: "x") }
    }

    @Test func aShortPauseIsWaitedFor() async throws {
        let pacing = CallPacing()
        let start = ContinuousClock.now
        await pacing.pause(account, seconds: 0.2)
        try await pacing.enter(account, call: "x")
        #expect(ContinuousClock.now - start >= .milliseconds(200))
    }
}
