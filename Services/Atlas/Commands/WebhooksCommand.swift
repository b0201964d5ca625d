import ArgumentParser

struct WebhooksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks", abstract: "Have systems told by signed HTTP requests when runs end.",
        subcommands: [
            WebhooksAddCommand.self, WebhooksListCommand.self, WebhooksRotateCommand.self,
            WebhooksDisableCommand.self, WebhooksEnableCommand.self, WebhooksRemoveCommand.self,
        ])
}
