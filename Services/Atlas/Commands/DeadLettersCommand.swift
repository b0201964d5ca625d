import ArgumentParser

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "See what no consumer could process; put it back, or drop it. Needs AMQP_URL.",
        discussion: """
            A message that is refused for good lies in the dead-letter queue of its queue,
            for 30 days at most. Looking at it changes nothing. Putting it back grants
            nothing: it is decided about like any other.
            """,
        subcommands: [
            DeadLettersListCommand.self, DeadLettersShowCommand.self, DeadLettersRedriveCommand.self,
            DeadLettersDropCommand.self,
        ])
}
