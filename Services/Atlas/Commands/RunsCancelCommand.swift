import ArgumentParser
import JSON
import Operations

struct RunsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stop a run.",
        discussion: """
            What waits ends at once. What runs ends before its next call to Microsoft.

            EXAMPLE
              atlas runs cancel 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: RunArgument

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withAPI { api in
            let answer = try await api.send(
                "POST", "/v1/runs/\(argument.id)/cancel", doing: "cancel the run")
            let hasEnded = answer.body["state"]?.string == RunState.completed.rawValue
            output.tell(answer.body) { style in
                [
                    hasEnded
                        ? "\(style.paint("cancelled", .good)). It had not begun."
                        : "It was asked to stop, and ends before its next call to Microsoft.",
                    "View run: atlas runs show \(argument.id)",
                ]
            }
        }
    }
}
