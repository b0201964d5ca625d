import Foundation
import Testing

@testable import Curl

/// Cancelling and closing.
@Suite struct EndingTests {
    @Test func cancellingEndsTheTransferAtOnce() async throws {
        try await withClient { client, peer in
            let task = Task { await failure(of: HTTPRequest(url: peer.url("/never?key=cancel")), client) }
            try await peer.wait(for: "cancel", client)
            let started = ContinuousClock.now
            task.cancel()
            let error = await task.value
            #expect(error?.kind == .cancelled && error?.requestMayHaveBeenSent == true)
            #expect(ContinuousClock.now - started < .seconds(5))
        }
    }

    @Test func aCancelledTaskSendsNothing() async throws {
        try await withClient { client, peer in
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return await failure(of: HTTPRequest(url: peer.url("/never")), client)
            }
            task.cancel()
            #expect(await task.value?.kind == .cancelled)
        }
    }

    /// Cancelled transfers give their handles back, and those are used again for the others.
    @Test func cancellingSomeLeavesTheOthers() async throws {
        try await withClient(maxConnectionsPerHost: 256) { client, peer in
            for round in 0..<5 {
                let doomed = (0..<40).map { _ in
                    Task { await failure(of: HTTPRequest(url: peer.url("/never")), client)?.kind }
                }
                let kept = (0..<40).map { number in
                    Task {
                        try Echo(
                            try await client.perform(HTTPRequest(url: peer.url("/echo?\(round)-\(number)"))))
                    }
                }
                doomed.forEach { $0.cancel() }
                for task in doomed { #expect(await task.value == .cancelled) }
                for (number, task) in kept.enumerated() {
                    let echo = try await task.value
                    #expect(echo.target == "/echo?\(round)-\(number)")
                }
            }
        }
    }

    @Test func closingEndsEverything() async throws {
        let peer = Peer.shared
        let client = CurlClient(userAgent: "test")
        let task = Task { await failure(of: HTTPRequest(url: peer.url("/never?key=close")), client) }
        try await withClient { observer, _ in try await peer.wait(for: "close", observer) }
        await client.close()
        #expect(await task.value?.kind == .cancelled)
        let late = await failure(of: HTTPRequest(url: peer.url("/echo")), client)
        #expect(late?.kind == .cancelled && late?.requestMayHaveBeenSent == false)
        await client.close()
    }

    @Test func submittingWhileClosingAlwaysAnswers() async throws {
        let peer = Peer.shared
        for _ in 0..<20 {
            let client = CurlClient(userAgent: "test")
            let tasks = (0..<20).map { _ in
                Task { try? await client.perform(HTTPRequest(url: peer.url("/never"))).status }
            }
            async let closed: Void = client.close()
            for task in tasks { _ = await task.value }
            await closed
        }
    }

    @Test func moreThanTheLimitIsRefused() async throws {
        try await withClient(maxConnectionsPerHost: 1) { client, peer in
            let more = 50
            let request = HTTPRequest(url: peer.url("/never"), timeout: .seconds(60))
            let kinds = await withTaskGroup { group in
                for _ in 0..<TransferEngine.mostTransfers + more {
                    group.addTask { await failure(of: request, client)?.kind }
                }
                var kinds: [TransferError.Kind?] = []
                for await kind in group {
                    kinds.append(kind)
                    if kinds.count == more { group.cancelAll() }
                }
                return kinds
            }
            #expect(kinds.prefix(more).allSatisfy { $0 == .overloaded })
            #expect(kinds.dropFirst(more).allSatisfy { $0 == .cancelled })
        }
    }
}
