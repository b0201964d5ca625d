import ArgumentParser
import JSON
import JobRuntime
import Operations
import Store

struct DeadLettersDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Remove dead letters for good. Needs DATABASE_URL, too.",
        discussion: """
            The audit keeps the note, the queue and a digest of the message, but not what it
            said. No run is lost by it: runs are in the database.

            EXAMPLES
              atlas dead-letters drop 3f9a0c1e5b7d2468 --note 'forged, ticket 4711'
              atlas dead-letters drop --all --queue notifier.terminal --note 'test traffic'
            """)

    /// The longest note, in characters.
    private static let noteLimit = 500

    @OptionGroup var selection: DeadLetterSelection

    @Option(help: "Why, for the audit: 1 to 500 characters.")
    var note: String

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func validate() throws {
        guard (1...Self.noteLimit).contains(note.count), note.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("--note must have 1 to \(Self.noteLimit) characters.")
        }
    }

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        let settings = Settings()
        let box = DeadLetterBox(try settings.broker())
        try await settings.withDatabase { pool in
            let records = DeadLetterRecords(pool: pool)
            try await selection.each(in: box, done: "dropped", output) { letter, _ in
                // Before it is gone: an entry too much is better than one too few.
                try await records.enter(letter.entry(.deadLetterDropped, by: nil, note: note))
            }
        }
    }
}
