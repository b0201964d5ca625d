/// How well a connection worked when it was last checked.
package enum ConnectionHealth: String, Sendable, CaseIterable {
    /// Never checked.
    case unknown
    /// Everything that was tried worked.
    case healthy
    /// It works, but not for everything.
    case degraded
    /// It does not work until somebody changes something.
    case unhealthy
}
