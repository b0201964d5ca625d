import ArgumentParser
import Operations

/// The schedule that a command is about.
struct ScheduleArgument: ParsableArguments {
    @Argument(help: "The schedule's id.")
    var schedule: IDArgument<Subject.Schedule>

    /// Its id.
    var id: ScheduleID { schedule.id }
}
