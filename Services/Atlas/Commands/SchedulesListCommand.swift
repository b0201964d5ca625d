import ArgumentParser
import JSON
import Operations

struct SchedulesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List schedules: when they are due next, and what came of the last time.",
        discussion: """
            EXAMPLES
              atlas schedules list
              atlas schedules list --tenant Contoso --json
            """)

    @Option(help: "Only of this tenant: a unique name, or an id.")
    var tenant: String?

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            var place: TenantID?
            if let tenant { place = try await api.tenant(tenant).id }
            let schedules = try await api.all(
                "/v1/schedules", "schedules", [("tenant_id", place?.description)], doing: "list schedules")
            output.tell(["schedules": .array(schedules)]) { style in
                guard !schedules.isEmpty else { return ["There are no schedules that you may see."] }
                return Table.lines(
                    ScheduleView.header, schedules.map { ScheduleView($0).row(style) }, style)
            }
        }
    }
}
