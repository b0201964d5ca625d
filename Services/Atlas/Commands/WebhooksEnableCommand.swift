import ArgumentParser

struct WebhooksEnableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Switch a webhook on again.",
        discussion: """
            What was given up meanwhile is sent by «atlas notifications redeliver».

            EXAMPLE
              atlas webhooks enable 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: WebhookArgument
    @OptionGroup var options: OutputOptions

    func run() async throws { try await argument.change("enable", options.output) }
}
