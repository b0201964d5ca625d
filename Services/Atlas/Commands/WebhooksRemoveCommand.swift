import ArgumentParser
import JSON
import Operations

struct WebhooksRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a webhook and its keys. What was delivered stays in the history.",
        discussion: """
            EXAMPLE
              atlas webhooks remove 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: WebhookArgument

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withAPI { api in
            _ = try await api.send("DELETE", "/v1/webhooks/\(argument.id)", doing: "remove the webhook")
            output.tell(["webhook_id": .string("\(argument.id)"), "removed": true]) { style in
                ["\(style.paint("removed", .good)). Nothing more is sent to it."]
            }
        }
    }
}
