/// When a delivery is tried again, and when no more.
struct DeliverySchedule: Sendable, Hashable {
    /// Before each try, the time since the one before, in seconds; the first is 0.
    let delays: [Double]
    /// The most by which a delay is stretched, as a part of it: what failed together comes back apart.
    let jitter: Double

    /// As Standard Webhooks 1.0.0 has it: ten tries in about three days.
    static let webhooks = DeliverySchedule(
        delays: [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400], jitter: 0.2)

    /// Eight tries in about two days: a relay that is away for a night is no reason to lose mails.
    static let mails = DeliverySchedule(
        delays: [0, 60, 300, 1_800, 7_200, 18_000, 43_200, 86_400], jitter: 0.2)

    /// What a receiver asks for is heeded up to this, in seconds: a day.
    static let longestWish = 86_400.0

    /// The seconds until the try after the failed try `attempt` (1 is the first); nil when that was the last.
    /// `retryAfterSeconds` is what the receiver asked for, `random` in 0..<1.
    func delay(after attempt: Int, retryAfterSeconds: Double?, random: Double) -> Double? {
        guard delays.indices.contains(attempt) else { return nil }
        let planned = delays[attempt] * (1 + jitter * random)
        return max(planned, min(retryAfterSeconds ?? 0, Self.longestWish))
    }
}
