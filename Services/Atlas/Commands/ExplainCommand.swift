import ArgumentParser

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Explain why a run was allowed or refused.",
        discussion: """
            It shows what was decided then, decides it again from the record of that moment
            (which must come out the same: exit code 1 if it does not), tells what would be
            decided now, and who could unblock it.

            EXAMPLE
              atlas explain 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: RunArgument
    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let explanation = try await api.get(
                "/v1/runs/\(argument.id)/explanation", doing: "explain the run")
            let run = try await api.get("/v1/runs/\(argument.id)", doing: "explain the run")
            let view = ExplanationView(explanation, of: run)
            output.tell(explanation) { view.lines($0) }
            if view.isReplayEqual == false { throw ExitCode(Failure.Code.refused.rawValue) }
        }
    }
}
