/// Where a ``LoopThread`` waits when it has nothing to run.
///
/// ``PollParking`` is for libraries that hand out a descriptor: librabbitmq, libpq, and curl's epoll set.
package protocol Parking: Sendable {
    /// Waits until something happened, ``wake()`` was called, or `milliseconds` passed.
    /// Called on the loop's own thread only.
    func park(milliseconds: Int32)

    /// Ends a park that is under way, or makes the next one return at once. Callable from any thread.
    func wake()
}
