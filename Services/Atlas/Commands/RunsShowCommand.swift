import ArgumentParser

struct RunsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about a run.",
        discussion: """
            EXAMPLES
              atlas runs show 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas runs show --exact 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: RunArgument
    @OptionGroup var options: OutputOptions

    func run() async throws {
        try await options.show("/v1/runs/\(argument.id)", doing: "show the run") { RunView($0).lines($1) }
    }
}
