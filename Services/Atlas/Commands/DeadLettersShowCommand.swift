import ArgumentParser
import JSON
import JobRuntime
import Operations

struct DeadLettersShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a dead letter with its body.",
        discussion: """
            At most 4,096 characters of the body; what looks like a secret is masked.

            EXAMPLE
              atlas dead-letters show 3f9a0c1e5b7d2468
            """)

    @Argument(help: "Its id, as «atlas dead-letters list» shows it.")
    var id: String

    @OptionGroup var place: DeadLetterQueue
    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        let box = DeadLetterBox(try Settings().broker())
        for queue in place.queues {
            var found: DeadLetter?
            _ = try await box.pass(queue) { letter, _ in
                if letter.id == id { found = letter }
                return false
            }
            if let found { return output.tell(found.json) { found.lines($0) } }
        }
        throw Failure(
            code: .refused, what: "There is no dead letter \(id).",
            why: "The first \(Presentation.grouped(DeadLetterBox.limit)) of each queue were looked at.",
            next: "See «atlas dead-letters list».")
    }
}
