import ArgumentParser
import JSON
import Operations

struct SchedulesRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a schedule. The runs that it started stay.",
        discussion: """
            EXAMPLE
              atlas schedules remove 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: ScheduleArgument

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withAPI { api in
            _ = try await api.send(
                "DELETE", "/v1/schedules/\(argument.id)", doing: "remove the schedule")
            output.tell(["schedule_id": .string("\(argument.id)"), "removed": true]) { style in
                ["\(style.paint("removed", .good)). It is not due any more."]
            }
        }
    }
}
