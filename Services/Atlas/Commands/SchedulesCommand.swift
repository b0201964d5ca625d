import ArgumentParser

struct SchedulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules", abstract: "Start operations again and again, at set times.",
        subcommands: [
            SchedulesAddCommand.self, SchedulesListCommand.self, SchedulesShowCommand.self,
            SchedulesPauseCommand.self, SchedulesResumeCommand.self, SchedulesRemoveCommand.self,
        ])
}
