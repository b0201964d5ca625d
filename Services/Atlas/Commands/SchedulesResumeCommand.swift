import ArgumentParser

struct SchedulesResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Switch a schedule on again.",
        discussion: """
            One that starts runs as a person is switched on by that person.

            EXAMPLE
              atlas schedules resume 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: ScheduleArgument
    @OptionGroup var options: OutputOptions

    func run() async throws { try await argument.change("resume", options.output) }
}
