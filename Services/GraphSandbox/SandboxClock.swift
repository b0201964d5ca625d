#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the sandbox reads the time. Tests put in a clock of their own to let tokens expire at once.
struct SandboxClock: Sendable {
    /// Seconds since 1970, for tokens and error bodies.
    let unixSeconds: @Sendable () -> Int64

    static let system = SandboxClock(unixSeconds: { read(CLOCK_REALTIME) / 1_000_000_000 })

    /// CLOCK_MONOTONIC in nanoseconds. Every process of the machine reads the same clock, so a test can put
    /// the journal's times and its own in one order.
    static func monotonicNanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
