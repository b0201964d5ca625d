import Operations
import Testing

@testable import Graph

@Suite struct InPlaceRetryTests {
    private func failure(_ failure: ProviderFailure, _ retryAfter: Double? = nil) -> GraphFailure {
        GraphFailure(failure, call: "GET /x", retryAfterSeconds: retryAfter)
    }

    /// The waits until it gives up.
    private func waits(_ failure: GraphFailure, random: Double) -> [Double] {
        var retry = InPlaceRetry()
        var waits: [Double] = []
        while let wait = retry.wait(after: failure, random: random) { waits.append(wait) }
        return waits
    }

    @Test func transientFailuresBackOff() {
        for kind in [ProviderFailure.unavailable, .timeout] {
            #expect(waits(failure(kind), random: 0) == [0.25, 0.5, 1])
            #expect(waits(failure(kind), random: 1) == [0.5, 1, 2])
        }
    }

    @Test func throttlingWithoutATimeStartsSlower() {
        #expect(waits(failure(.throttled), random: 1) == [2, 4, 8])
    }

    @Test func retryAfterIsNeverShortened() {
        #expect(waits(failure(.throttled, 5), random: 0) == [5, 5, 5])
        #expect(waits(failure(.unavailable, 5), random: 0.5) == [5.5, 5.5, 5.5])
        #expect(waits(failure(.throttled, 0), random: 0) == [0, 0, 0])
    }

    @Test func longWaitsBelongToTheRun() {
        #expect(waits(failure(.throttled, 15), random: 0) == [15, 15])
        #expect(waits(failure(.throttled, 15.1), random: 0) == [])
        #expect(waits(failure(.unavailable, 120), random: 0) == [])
    }

    @Test func unreadableAnswersAreReadOnceMore() {
        #expect(waits(failure(.malformedAnswer), random: 0.5) == [0])
    }

    static let final = ProviderFailure.allCases.filter {
        ![.throttled, .unavailable, .timeout, .malformedAnswer].contains($0)
    }

    @Test(arguments: final) func theRestIsFinal(_ kind: ProviderFailure) {
        #expect(waits(failure(kind, 1), random: 0) == [])
    }

    @Test func triesAreCountedOverAllKinds() {
        var retry = InPlaceRetry()
        let kinds: [ProviderFailure] = [.timeout, .malformedAnswer, .unavailable]
        for kind in kinds { #expect(retry.wait(after: failure(kind), random: 0) != nil) }
        #expect(retry.wait(after: failure(.throttled), random: 0) == nil)
    }
}

@Suite struct PageWalkTests {
    private static let origin = Origin(url: "http://127.0.0.1")!

    private func page(_ token: Int?) -> GraphPage {
        GraphPage(
            items: [],
            next: token.flatMap { NextLink("http://127.0.0.1/x?$skiptoken=\($0)", on: Self.origin) })
    }

    @Test func walksToTheEnd() throws {
        var walk = PageWalk(pageLimit: 10)
        for number in 1...5 {
            #expect(try walk.follow(page(number))?.url == "http://127.0.0.1/x?$skiptoken=\(number)")
        }
        #expect(try walk.follow(page(nil)) == nil)
    }

    @Test func anEmptyPageMayPointToItself() throws {
        var walk = PageWalk(pageLimit: 10)
        #expect(try walk.follow(page(1)) != nil)
        #expect(try walk.follow(page(1)) != nil)
        #expect(try walk.follow(page(2)) != nil)
    }

    @Test func circlesEnd() {
        var walk = PageWalk(pageLimit: 1_000)
        let failure = #expect(throws: GraphFailure.self) {
            for number in 0..<1_000 { _ = try walk.follow(page(number % 7)) }
        }
        #expect(failure?.failure == .malformedAnswer)
    }

    @Test func endlessListsEnd() {
        var walk = PageWalk(pageLimit: 100)
        var pages = 0
        #expect(throws: GraphFailure.self) {
            for number in 0..<1_000 {
                _ = try walk.follow(page(number))
                pages += 1
            }
        }
        #expect(pages == 99)
    }
}
