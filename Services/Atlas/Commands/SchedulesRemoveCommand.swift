import ArgumentParser

struct SchedulesRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a schedule. The runs that it started stay.",
        discussion: """
            EXAMPLE
              atlas schedules remove 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: ScheduleArgument

    @OptionGroup var options: RemovalOptions

    func run() async throws {
        try await options.remove(
            "/v1/schedules/\(argument.id)", "schedule_id", argument.id, doing: "remove the schedule",
            so: "It is not due any more.")
    }
}
