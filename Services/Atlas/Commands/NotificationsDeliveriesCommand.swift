import ArgumentParser
import JSON
import Operations

struct NotificationsDeliveriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract: "Show what was delivered by webhooks and e-mail: each try, and when the next one is.",
        discussion: """
            Of a run for whoever may look at it; of a webhook, or all of the workspace, for
            whoever manages notifications.

            EXAMPLES
              atlas notifications deliveries 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas notifications deliveries --webhook 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas notifications deliveries --limit 5 --json
            """)

    @Argument(help: "Only of this run.")
    var run: IDArgument<Subject.Run>?

    @Option(help: "Only of this webhook.")
    var webhook: IDArgument<Subject.Webhook>?

    @OptionGroup var page: PageOptions

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let answer = try await api.get(
                "/v1/deliveries",
                [
                    ("run_id", run.map { "\($0.id)" }), ("webhook_id", webhook.map { "\($0.id)" }),
                    page.query,
                ], doing: "show what was delivered")
            output.tell(answer) { style in
                let entries = answer["deliveries"]?.array ?? []
                guard !entries.isEmpty else { return ["Nothing was sent by webhooks or e-mail."] }
                let lines = entries.flatMap { DeliveryView($0).lines(style) }
                return PageOptions.lines(lines, of: answer, style)
            }
        }
    }
}
