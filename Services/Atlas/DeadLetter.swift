import AMQP
import Crypto
import FoundationEssentials
import JSON
import Operations
import ServiceKit

/// A message that its consumer refused for good, as it lies in a dead-letter queue.
struct DeadLetter: Sendable {
    /// The most characters of a body that are shown.
    private static let textLimit = 4_096
    /// How many hexadecimal digits of the digest make the id that people type.
    private static let idLength = 16

    /// The SHA-256 of what it is and when it died, in hexadecimal: the same at each look. Two that have the same are the
    /// same in everything that counts.
    let digest: String
    /// The queue that it was for.
    let queue: String
    /// The run that it names, if it can be read.
    let run: RunID?
    /// Why it was refused, in the broker's word: `rejected`, `expired`, `maxlen`, `delivery_limit`.
    let reason: String?
    let diedAt: Date?
    let messageID: String?
    let type: String?
    /// Of the body, in bytes.
    let size: Int
    /// False when its body is too large to be read: it can only be dropped.
    let isWhole: Bool
    let text: ForeignText

    var id: String { String(digest.prefix(Self.idLength)) }

    init(_ delivery: Delivery, of queue: String) {
        self.queue = queue
        let death = delivery.headers["x-death"]?.array?.first?.table
        reason = death?["reason"]?.string
        if case .timestamp(let date)? = death?["time"] { diedAt = date } else { diedAt = nil }
        run = (try? JobMessage(body: delivery.body))?.runID ?? TerminalEvent(body: delivery.body)?.runID
        messageID = delivery.properties.id
        type = delivery.properties.type
        size = Int(clamping: delivery.bodySize)
        isWhole = !delivery.oversized
        text = ForeignText(delivery.body, limit: Self.textLimit)
        var hash = SHA256()
        let parts = [messageID, type, "\(size)", diedAt.map { "\(Int($0.timeIntervalSince1970))" }]
        for part in parts.map({ Array(($0 ?? "").utf8) }) + [delivery.body] {
            // With its length before it, so that no part can pass for a piece of another.
            hash.update(data: Array("\(part.count):".utf8))
            hash.update(data: part)
        }
        digest = Hex.text(Array(hash.finalize()))
    }

    // MARK: as people and machines see it

    static let header = ["ID", "QUEUE", "WHY", "DIED", "SIZE", "RUN", "TYPE"]

    func row(_ style: Style) -> [Cell] {
        [
            Cell(id), Cell(queue), Cell(Self.short(reason)), Cell(diedAt.map(style.times.text) ?? ""),
            Cell("\(Presentation.grouped(size)) B"), Cell(run.map { "\($0)" } ?? ""), Cell(Self.short(type)),
        ]
    }

    func lines(_ style: Style) -> [String] {
        let pairs: [(String, Cell)] = [
            ("id", Cell(id)), ("queue", Cell(queue)), ("why", Cell(Self.short(reason))),
            ("died", Cell(diedAt.map(style.times.text) ?? "")), ("message id", Cell(Self.short(messageID))),
            ("type", Cell(Self.short(type))), ("run", Cell(run.map { "\($0)" } ?? "none that can be read")),
            ("size", Cell("\(Presentation.grouped(size)) B")),
        ]
        let end = !isWhole ? "too large to be shown" : text.isCut ? text.text + " …" : text.text
        return Table.pairs(pairs, style) + ["", Style.plain(end)]
    }

    var json: JSON {
        [
            "id": .string(id), "digest": .string(digest), "queue": .string(queue),
            "reason": .optional(reason.map { _ in Self.short(reason) }),
            "died_at": diedAt.map(Timestamp.json) ?? .null, "message_id": .string(Self.short(messageID)),
            "type": .string(Self.short(type)), "run_id": .optional(run?.description), "size": .int(size),
            "body": isWhole ? .string(text.text) : .null, "body_cut": .bool(text.isCut || !isWhole),
        ]
    }

    /// What a sender wrote about the message: it may have written anything.
    private static func short(_ text: String?) -> String {
        text.map { ForeignText(Array($0.utf8), limit: 80).text } ?? ""
    }
}
