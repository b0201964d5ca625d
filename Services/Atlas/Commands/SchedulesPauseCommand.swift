import ArgumentParser
import JSON

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

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let answer = try await api.send(
                "POST", "/v1/schedules/\(argument.id)/pause", doing: "pause the schedule")
            output.tell(answer.body) { ScheduleView(answer.body).lines($0) }
        }
    }
}
