import ArgumentParser
import JSON

struct WebhooksListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the workspace's webhooks, and how they do.",
        discussion: """
            EXAMPLES
              atlas webhooks list
              atlas webhooks list --json
            """)

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let webhooks = try await api.all("/v1/webhooks", "webhooks", doing: "list webhooks")
            output.tell(["webhooks": .array(webhooks)]) { style in
                guard !webhooks.isEmpty else { return ["There are no webhooks."] }
                return Table.lines(WebhookView.header, webhooks.map { WebhookView($0).row(style) }, style)
            }
        }
    }
}
