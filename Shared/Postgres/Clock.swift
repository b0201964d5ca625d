import Glibc

/// The monotonic clock, in nanoseconds: what deadlines are counted in.
enum Clock {
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// From `now` to `deadline` in milliseconds, rounded up, so that a wait never ends early.
    static func milliseconds(from now: UInt64, until deadline: UInt64) -> Int32 {
        guard deadline > now else { return 0 }
        return Int32(clamping: (deadline - now + 999_999) / 1_000_000)
    }
}

extension Duration {
    /// Whole nanoseconds; negative durations count as 0.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }

    /// Seconds, rounded up; at least the 2 that libpq allows for connecting.
    var wholeSeconds: UInt64 { max(2, (nanoseconds + 999_999_999) / 1_000_000_000) }

    /// Whole milliseconds; negative durations count as 0.
    var milliseconds: UInt64 { nanoseconds / 1_000_000 }
}
