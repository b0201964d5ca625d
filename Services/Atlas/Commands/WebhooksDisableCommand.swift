import ArgumentParser

struct WebhooksDisableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Switch a webhook off.",
        discussion: """
            What waits for it is given up.

            EXAMPLE
              atlas webhooks disable 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: WebhookArgument
    @OptionGroup var options: OutputOptions

    func run() async throws { try await argument.change("disable", options.output) }
}
