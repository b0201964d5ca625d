import ArgumentParser

struct SchedulesShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about a schedule.",
        discussion: """
            EXAMPLE
              atlas schedules show 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: ScheduleArgument
    @OptionGroup var options: OutputOptions

    func run() async throws {
        try await options.show("/v1/schedules/\(argument.id)", doing: "show the schedule") {
            ScheduleView($0).lines($1)
        }
    }
}
