import AMQP
import JSON
import JobRuntime
import Operations

/// A dead letter as people and machines see it.
extension DeadLetter {
    static let header = ["ID", "QUEUE", "WHY", "DIED", "SIZE", "RUN", "TYPE"]

    func row(_ style: Style) -> [Cell] {
        [
            Cell(id), Cell(queue), Cell(reason ?? ""), Cell(diedAt.map(style.times.text) ?? ""),
            Cell("\(Presentation.grouped(size)) B"), Cell(run.map { "\($0)" } ?? ""), Cell(type ?? ""),
        ]
    }

    func lines(_ style: Style) -> [String] {
        let pairs: [(String, Cell)] = [
            ("id", Cell(id)), ("queue", Cell(queue)), ("why", Cell(reason ?? "")),
            ("died", Cell(diedAt.map(style.times.text) ?? "")), ("message id", Cell(messageID ?? "")),
            ("type", Cell(type ?? "")), ("run", Cell(run.map { "\($0)" } ?? "none that can be read")),
            ("size", Cell("\(Presentation.grouped(size)) B")),
        ]
        let end = !isWhole ? "too large to be shown" : text.isCut ? text.text + " …" : text.text
        return Table.pairs(pairs, style) + ["", Style.plain(end)]
    }

    var json: JSON {
        [
            "id": .string(id), "digest": .string(digest), "queue": .string(queue),
            "reason": .optional(reason),
            "died_at": diedAt.map(Timestamp.json) ?? .null, "message_id": .string(messageID ?? ""),
            "type": .string(type ?? ""), "run_id": .optional(run?.description), "size": .int(size),
            "body": isWhole ? .string(text.text) : .null, "body_cut": .bool(text.isCut || !isWhole),
        ]
    }
}

extension DeadLetterBox {
    /// The box as the operator's command opens it.
    init(_ address: BrokerAddress) { self.init(address: address, name: "atlas") }

    /// Runs `body` with a publisher that is connected.
    func publishing<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: (Publisher) async throws -> R
    ) async throws -> R {
        let publisher = Publisher(
            address: address, topology: JobTopology.starter, name: name, logger: Settings.quiet)
        let running = Task { await publisher.run() }
        do {
            let result = try await body(publisher)
            await publisher.close()
            await running.value
            return result
        } catch {
            await publisher.close()
            await running.value
            throw error
        }
    }
}

extension Failure {
    /// Why a dead letter was not put back.
    init(_ refusal: DeadLetterBox.Refusal, _ letter: DeadLetter) {
        let what = "The dead letter \(letter.id) was not put back into \(letter.queue)."
        switch refusal {
        case .tooLarge:
            self.init(
                code: .refused, what: what, why: "Its body is larger than what any consumer takes.",
                next: "Drop it: atlas dead-letters drop \(letter.id) --note …")
        case .notTaken(let reason):
            self.init(
                code: .unreachable, what: what,
                why: "The broker did not take it (\(reason)). It stays where it was.",
                next: "Do it again in a moment.")
        }
    }
}
