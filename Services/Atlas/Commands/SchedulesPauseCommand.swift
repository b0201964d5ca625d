import ArgumentParser

struct SchedulesPauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Switch a schedule off.",
        discussion: """
            What is due meanwhile is not made up for.

            EXAMPLE
              atlas schedules pause 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: ScheduleArgument
    @OptionGroup var options: OutputOptions

    func run() async throws { try await argument.change("pause", options.output) }
}
