/// Growing delays between attempts: each at most twice the one before, up to a limit, with jitter so that
/// many processes do not come back at the same moment.
///
/// A pure value: the caller brings the randomness.
struct Backoff: Sendable {
    /// The first delay, in milliseconds, before jitter.
    let firstMilliseconds: Int
    /// The longest delay, in milliseconds.
    let limitMilliseconds: Int

    private(set) var attempts = 0

    init(firstMilliseconds: Int = 100, limitMilliseconds: Int = 10_000) {
        precondition(1...limitMilliseconds ~= firstMilliseconds && limitMilliseconds <= 3_600_000)
        self.firstMilliseconds = firstMilliseconds
        self.limitMilliseconds = limitMilliseconds
    }

    /// The next delay in milliseconds: between a half and the whole of this attempt's step.
    /// `random` is in 0 ..< 1.
    mutating func next(random: Double) -> Int {
        // 20 doublings are more than any sensible limit, and can't overflow.
        let step = min(limitMilliseconds, firstMilliseconds << min(attempts, 20))
        attempts += 1
        return step / 2 + Int(Double(step - step / 2) * random)
    }

    mutating func reset() { attempts = 0 }
}
