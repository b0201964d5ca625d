import ArgumentParser
import Operations
import JSON
import JobRuntime

struct DeadLettersListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List dead letters, the oldest of each queue first.",
        discussion: """
            EXAMPLES
              atlas dead-letters list
              atlas dead-letters list --queue jobs.provider --limit 200 --json
            """)

    @OptionGroup var place: DeadLetterQueue

    @Option(help: "How many of each queue, 1 to \(DeadLetterBox.limit).")
    var limit = 50

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (1...DeadLetterBox.limit).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(DeadLetterBox.limit).")
        }
    }

    func run() async throws {
        let output = options.output
        let box = DeadLetterBox(try Settings().broker())
        var letters: [DeadLetter] = []
        var left: [(queue: String, count: Int)] = []
        for queue in place.queues {
            var found: [DeadLetter] = []
            let more = try await box.pass(queue) { letter, _ in
                found.append(letter)
                return false
            }
            letters += found.prefix(limit)
            let hidden = more + max(0, found.count - limit)
            if hidden > 0 { left.append((queue, hidden)) }
        }
        output.tell([
            "dead_letters": .array(letters.map(\.json)),
            "more": .object(JSONObject(left.map { ($0.queue, .int($0.count)) })),
        ]) { style in
            guard !letters.isEmpty else { return ["There are no dead letters."] }
            return Table.lines(DeadLetter.header, letters.map { $0.row(style) }, style)
                + left.map { style.faint("There are \(Presentation.grouped($0.count)) more of \($0.queue).") }
        }
    }
}
