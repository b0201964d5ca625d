import ArgumentParser

struct NotificationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notifications",
        abstract: "Show your inbox, and what was delivered by webhooks and e-mail.",
        subcommands: [
            NotificationsListCommand.self, NotificationsDeliveriesCommand.self,
            NotificationsRedeliverCommand.self, NotificationsEmailCommand.self,
        ],
        defaultSubcommand: NotificationsListCommand.self)
}
