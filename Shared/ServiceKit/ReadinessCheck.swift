/// One thing that a service can't work without.
package struct ReadinessCheck: Sendable {
    /// How it is called in the answer, for example `database`.
    package let name: String
    /// It has failed when it takes longer.
    package let limit: Duration
    let run: @Sendable () async throws -> Void

    /// - Parameter run: returns when all is well, throws when not. The error is logged, never shown.
    package init(
        _ name: String, limit: Duration = .seconds(2), run: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.limit = limit
        self.run = run
    }
}
