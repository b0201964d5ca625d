package import AMQP
internal import Crypto
package import FoundationEssentials
package import Operations
internal import ServiceKit

/// A message that its consumer refused for good, as it lies in a dead-letter queue.
package struct DeadLetter: Sendable {
    /// The most characters of a body that are shown.
    private static let textLimit = 4_096
    /// The most characters of what a sender wrote beside the body that are shown.
    private static let wordLimit = 80
    /// How many hexadecimal digits of the digest make the id that people type.
    package static let idLength = 16
    /// The last moment that a message can have died at, in seconds since 1970: the end of the year 9999. A sender can write
    /// any number.
    private static let lastSecond = 253_402_300_799.0

    /// The SHA-256 of what it is and when it died, in hexadecimal: the same at each look. Two that have the same are the
    /// same in everything that counts.
    package let digest: String
    /// The queue that it was for.
    package let queue: String
    /// The run that it names, if it can be read.
    package let run: RunID?
    /// Why it was refused, in the broker's word: `rejected`, `expired`, `maxlen`, `delivery_limit`. Nil when nothing is said.
    package let reason: String?
    package let diedAt: Date?
    /// As its sender wrote it, without what looks like a secret; nil when the sender wrote none. The same holds for
    /// ``type``.
    package let messageID: String?
    package let type: String?
    /// Of the body, in bytes.
    package let size: Int
    /// False when its body is too large to be read: it can only be dropped.
    package let isWhole: Bool
    package let text: ForeignText

    package var id: String { String(digest.prefix(Self.idLength)) }

    package init(_ delivery: Delivery, of queue: String) {
        self.queue = queue
        let death = delivery.headers["x-death"]?.array?.first?.table
        reason = death?["reason"]?.string.map(Self.word)
        diedAt = death?["time"].flatMap(Self.moment)
        run = (try? JobMessage(body: delivery.body))?.runID ?? TerminalEvent(body: delivery.body)?.runID
        messageID = delivery.properties.id.map(Self.word)
        type = delivery.properties.type.map(Self.word)
        size = Int(clamping: delivery.bodySize)
        isWhole = !delivery.oversized
        text = ForeignText(delivery.body, limit: Self.textLimit)
        var hash = SHA256()
        let parts = [
            delivery.properties.id, delivery.properties.type, "\(size)",
            diedAt.map { "\(Int($0.timeIntervalSince1970))" },
        ]
        for part in parts.map({ Array(($0 ?? "").utf8) }) + [delivery.body] {
            // With its length before it, so that no part can pass for a piece of another.
            hash.update(data: Array("\(part.count):".utf8))
            hash.update(data: part)
        }
        digest = Hex.text(Array(hash.finalize()))
    }

    /// What a sender wrote about the message: it may have written anything.
    private static func word(_ text: String) -> String {
        ForeignText(Array(text.utf8), limit: wordLimit).text
    }

    private static func moment(_ value: FieldValue) -> Date? {
        guard case .timestamp(let date) = value, (0...lastSecond).contains(date.timeIntervalSince1970) else {
            return nil
        }
        return date
    }
}
