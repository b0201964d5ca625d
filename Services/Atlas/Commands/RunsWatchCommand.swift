import ArgumentParser
import JSON

struct RunsWatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow a run until it has ended.",
        discussion: """
            The exit code is 0 when it succeeded, else 1. When the time is up, the run goes
            on.

            EXAMPLES
              atlas runs watch 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas runs watch --timeout 2h 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    static let defaultTimeout = TimeSpan(seconds: 300)

    @OptionGroup var argument: RunArgument

    @Option(help: "How long to watch, for example 30s, 5m, 2h.")
    var timeout = Self.defaultTimeout

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let run = try await RunWatch(api: api, output: output).follow("\(argument.id)", limit: timeout)
            try Self.tell(run, output)
        }
    }

    /// Tells how a run ended. Throws exit code 1 unless it succeeded.
    static func tell(_ run: JSON, _ output: Output) throws {
        output.tell(run) { RunView(run).lines($0) }
        guard RunView(run).hasSucceeded else { throw ExitCode(Failure.Code.refused.rawValue) }
    }
}
