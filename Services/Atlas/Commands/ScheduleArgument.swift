import ArgumentParser
import Operations

/// The schedule that a command is about.
struct ScheduleArgument: ParsableArguments {
    @Argument(help: "The schedule's id.")
    var schedule: IDArgument<Subject.Schedule>

    /// Its id.
    var id: ScheduleID { schedule.id }

    /// Switches the schedule by the API's word for it, `pause` or `resume`, and shows what it is then.
    func change(_ word: String, _ output: Output) async throws {
        try await Settings().withAPI { api in
            let answer = try await api.send(
                "POST", "/v1/schedules/\(id)/\(word)", doing: "\(word) the schedule")
            output.tell(answer.body) { ScheduleView(answer.body).lines($0) }
        }
    }
}
