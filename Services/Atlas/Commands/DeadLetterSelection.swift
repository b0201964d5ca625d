import AMQP
import ArgumentParser
import JSON
import JobRuntime
import Operations

/// Which dead letters something is to be done with.
struct DeadLetterSelection: ParsableArguments {
    /// The most ids of one command.
    private static let idLimit = 100
    /// How long to wait before what was not found is looked for once more.
    private static let patience = Duration.seconds(1)

    @Argument(help: "Their ids, as «atlas dead-letters list» shows them.")
    var ids: [String] = []

    @Flag(help: "All of one queue, at most \(DeadLetterBox.limit) at once; needs --queue.")
    var all = false

    @OptionGroup var place: DeadLetterQueue

    func validate() throws {
        guard all != !ids.isEmpty else { throw ValidationError("Say which: their ids, or --all.") }
        guard !all || place.queue != nil else { throw ValidationError("--all needs --queue.") }
        guard ids.count <= Self.idLimit else { throw ValidationError("At most \(Self.idLimit) ids at once.") }
    }

    /// Does something with each that is meant, and removes it when that is done. `done` is the word for it. What was done
    /// is told also when something goes wrong half-way.
    func each(
        in box: DeadLetterBox, done word: String, _ output: Output,
        _ act: (DeadLetter, Delivery) async throws -> Void
    ) async throws {
        var wanted = Set(ids)
        var handled: [DeadLetter] = []
        func look() async throws {
            for queue in place.queues where all || !wanted.isEmpty {
                _ = try await box.pass(queue) { letter, delivery in
                    guard all || wanted.contains(letter.id) else { return false }
                    try await act(letter, delivery)
                    wanted.remove(letter.id)
                    handled.append(letter)
                    return true
                }
            }
        }
        do {
            try await look()
            if !wanted.isEmpty {
                // The starter may have had it in its hands.
                try await Task.sleep(for: Self.patience)
                try await look()
            }
        } catch {
            if !handled.isEmpty { Self.tell(handled, word, output) }
            throw error
        }
        Self.tell(handled, word, output)
        guard wanted.isEmpty else {
            throw Failure(
                code: .refused, what: "There is no dead letter \(wanted.sorted().joined(separator: ", ")).",
                why: "The first \(Presentation.grouped(DeadLetterBox.limit)) of each queue were looked at.",
                next: "See «atlas dead-letters list».")
        }
    }

    private static func tell(_ letters: [DeadLetter], _ word: String, _ output: Output) {
        output.tell([word: .array(letters.map { .string($0.id) })]) { style in
            letters.isEmpty
                ? ["Nothing was \(word)."]
                : letters.map { "\(style.paint(word, .good)) \($0.id) of \($0.queue)" }
        }
    }
}
