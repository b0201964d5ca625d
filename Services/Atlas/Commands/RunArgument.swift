import ArgumentParser
import Operations

/// The run that a command is about.
struct RunArgument: ParsableArguments {
    @Argument(help: "The run's id.")
    var run: IDArgument<Subject.Run>

    /// Its id.
    var id: RunID { run.id }
}

/// An id as an argument: a UUID in its usual form.
struct IDArgument<Subject>: ExpressibleByArgument {
    let id: Identifier<Subject>

    init?(argument: String) {
        guard let id = Identifier<Subject>(argument) else { return nil }
        self.id = id
    }
}
