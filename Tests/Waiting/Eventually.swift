/// What did not come to pass in time.
package struct NotInTime: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// How long what is sure to come may take: all suites run at once, and the machine may be small and busy.
package let patience = Duration.seconds(60)

/// Looks for a value until it is there, at most `limit`. For what has no signal to wait on.
package func eventually<R>(
    _ what: String, within limit: Duration = patience, isolation: isolated (any Actor)? = #isolation,
    _ look: () async throws -> R?
) async throws -> R {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if let value = try await look() { return value }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw NotInTime(description: "\(what): not within \(limit)")
}

/// Asks until it holds, at most `limit`.
package func eventually(
    _ what: String, within limit: Duration = patience, isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    _ = try await eventually(what, within: limit) { try await condition() ? () : nil } as Void
}

/// What `wait` returns, at most after `limit`; then it is cancelled, and ``NotInTime`` is thrown.
package func inTime<R: Sendable>(
    _ what: String, within limit: Duration = patience, _ wait: @escaping @Sendable () async throws -> R
) async throws -> R {
    try await withThrowingTaskGroup(of: R.self) { group in
        group.addTask { try await wait() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw NotInTime(description: "\(what): not within \(limit)")
        }
        defer { group.cancelAll() }
        return try await group.next()!
    }
}

/// Waits until the task is cancelled.
package func forever() async {
    let (nothing, end) = AsyncStream.makeStream(of: Never.self)
    for await _ in nothing {}
    end.finish()
}
