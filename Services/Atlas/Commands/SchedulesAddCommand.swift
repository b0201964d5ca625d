import ArgumentParser
import JSON
import Operations

struct SchedulesAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Make a schedule.",
        discussion: """
            CRON has five fields: minute, hour, day of the month, month, weekday; or it is
            @hourly, @daily, @weekly, @monthly or @yearly.

            When clocks are put forward, a time that does not exist is due right after the
            gap; when they are put back, a time that exists twice is due once.

            What was missed is not made up for, but the latest: once, within a week. While
            something else is under way on the connection, it waits until the next due time.

            It starts runs as you: you must still have access each time it is due. With
            --as-system it starts them under the system's authority, which takes
            access.manage and is possible for what only reads:
            \(systemOperations)

            EXAMPLES
              atlas schedules add backup.run --tenant Contoso --cron '30 2 * * *' --as-system
              atlas schedules add policy.sync --tenant Contoso --cron @daily --time-zone Europe/Rome
              atlas schedules add backup.run --tenant Contoso --cron @daily --parameters @kinds.json
            """)

    @OptionGroup var wish: OperationOptions

    @Option(help: "When it is due, for example '30 2 * * mon-fri'.")
    var cron: String

    @Option(help: "The time zone that the times are in: its IANA name.")
    var timeZone = "UTC"

    @Flag(help: "Under the system's authority, not as you.")
    var asSystem = false

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            var body = try await wish.body(api)
            body["cron"] = .string(cron)
            body["time_zone"] = .string(timeZone)
            body["run_as"] = asSystem ? "system" : "me"
            let answer = try await api.send(
                "POST", "/v1/schedules", .object(body), doing: "make the schedule")
            output.tell(answer.body) { style in
                let word =
                    answer.status == 201 ? style.paint("made", .good) : "There is such a schedule already"
                return ["\(word)."] + ScheduleView(answer.body).lines(style)
            }
        }
    }

    private static let systemOperations = OperationCatalogue.all.filter(\.systemMayRun)
        .map { "  \($0.type.rawValue)" }.joined(separator: "\n")
}
