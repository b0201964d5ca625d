/// What did not come to pass in time.
package struct NotInTime: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Looks for a value until it is there, at most `limit`. For what has no signal to wait on.
package func eventually<R>(
    _ what: String, within limit: Duration = .seconds(20), isolation: isolated (any Actor)? = #isolation,
    _ look: () async throws -> R?
) async throws -> R {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if let value = try await look() { return value }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw NotInTime(description: "\(what): not within \(limit)")
}
