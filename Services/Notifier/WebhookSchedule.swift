/// When a webhook is tried again, and when no more (Standard Webhooks 1.0.0).
struct WebhookSchedule: Sendable, Hashable {
    /// Before each try, the time since the one before, in seconds; the first is 0.
    let delays: [Double]
    /// The most by which a delay is stretched, as a part of it: what failed together comes back apart.
    let jitter: Double

    /// Ten tries in about three days.
    static let standard = WebhookSchedule(
        delays: [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400], jitter: 0.2)

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
