import ArgumentParser
import FoundationEssentials
import JSON
import Operations

struct RunsRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Start once more what failed, was blocked, cancelled or done in part.",
        discussion: """
            A new run, linked to the first, which stays as it ended. It runs under your
            access, whoever started the first.

            EXAMPLES
              atlas runs retry 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas runs retry 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10 --watch
            """)

    @OptionGroup var argument: RunArgument

    @Option(help: "Your own key: the same key for the same run gives the same retry.")
    var key: String?

    @Flag(help: "Watch it until it has ended.")
    var watch = false

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        let key = key ?? "atlas-\(UUID().uuidString.lowercased())"
        try await Settings().withAPI { api in
            let answer: APIAnswer
            do {
                answer = try await api.send(
                    "POST", "/v1/runs/\(argument.id)/retry", headers: [("Idempotency-Key", key)],
                    doing: "retry the run")
            } catch var failure as Failure where failure.code == .unreachable {
                failure.next = "Do it again with --key \(key): then it is not started twice."
                throw failure
            }
            guard let run = answer.body["run_id"]?.string else { return }
            if !watch || !output.isJSON {
                output.tell(answer.body) { StartCommand.lines(answer.body, $0) }
            }
            guard watch else { return }
            let ended = try await RunWatch(api: api, output: output)
                .follow(run, limit: RunsWatchCommand.defaultTimeout)
            try RunsWatchCommand.tell(ended, output)
        }
    }
}
