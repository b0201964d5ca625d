import ArgumentParser
import JSON
import JobRuntime
import Store

struct DeadLettersRedriveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive", abstract: "Put dead letters back into their queue. Needs DATABASE_URL, too.",
        discussion: """
            Each is removed when the broker has it in its queue; killed between, it is there
            twice, and the second does nothing. The audit says that it was done.

            EXAMPLES
              atlas dead-letters redrive 3f9a0c1e5b7d2468
              atlas dead-letters redrive --all --queue jobs.provider
            """)

    @OptionGroup var selection: DeadLetterSelection

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        let settings = Settings()
        let box = DeadLetterBox(try settings.broker())
        try await settings.withDatabase { pool in
            let records = DeadLetterRecords(pool: pool)
            try await box.publishing { publisher in
                try await selection.each(in: box, done: "redriven", output) { letter, delivery in
                    do {
                        try await box.redrive(letter, delivery, by: nil, publisher, records)
                    } catch let refusal as DeadLetterBox.Refusal {
                        throw Failure(refusal, letter)
                    }
                }
            }
        }
    }
}
