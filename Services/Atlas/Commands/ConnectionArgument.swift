import ArgumentParser
import JSON
import Operations

/// The provider connection that a command is about.
struct ConnectionArgument: ParsableArguments {
    @Argument(help: "The connection's id; «atlas connections list» shows it.")
    var connection: IDArgument<Subject.Connection>

    /// Where the API has it.
    var path: String { "/v1/provider-connections/\(connection.id)" }
}
