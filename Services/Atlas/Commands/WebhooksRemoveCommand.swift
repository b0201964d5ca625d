import ArgumentParser

struct WebhooksRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a webhook and its keys. What was delivered stays in the history.",
        discussion: """
            EXAMPLE
              atlas webhooks remove 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: WebhookArgument

    @OptionGroup var options: RemovalOptions

    func run() async throws {
        try await options.remove(
            "/v1/webhooks/\(argument.id)", "webhook_id", argument.id, doing: "remove the webhook",
            so: "Nothing more is sent to it.")
    }
}
