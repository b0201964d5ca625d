import ArgumentParser

struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "See runs, follow them, stop them, start them once more.",
        subcommands: [
            RunsListCommand.self, RunsShowCommand.self, RunsItemsCommand.self, RunsWatchCommand.self,
            RunsCancelCommand.self, RunsRetryCommand.self,
        ])
}
