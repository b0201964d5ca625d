/// How a ``Publisher`` or a ``Consumer`` stands with the broker.
package enum LinkStatus: Sendable, Equatable {
    /// Not connected yet, and no attempt has failed yet.
    case connecting
    /// Connected, with the topology declared.
    case connected
    /// Connected, but the broker takes no messages now, and says why (memory, disk). Publishes wait.
    case blocked(String)
    /// Not connected. Attempts go on; this was the last one's end.
    case disconnected(AMQPError)
    /// Closed by this side, for good.
    case closed
}
