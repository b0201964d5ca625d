import ArgumentParser
import JSON
import Operations

struct NotificationsDeliveriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract: "Show what was delivered by webhooks and e-mail: each try, and when the next one is.",
        discussion: """
            Of a run for whoever may look at it; of a webhook, or all of the workspace, for whoever
            manages notifications.

            EXAMPLES
              atlas notifications deliveries 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas notifications deliveries --webhook 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas notifications deliveries --limit 5 --json
            """)

    @Argument(help: "Only of this run.")
    var run: IDArgument<Subject.Run>?

    @Option(help: "Only of this webhook.")
    var webhook: IDArgument<Subject.Webhook>?

    @Option(help: "How many, 1 to \(APIClient.pageLimit).")
    var limit = 20

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (1...APIClient.pageLimit).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(APIClient.pageLimit).")
        }
    }

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let page = try await api.get(
                "/v1/deliveries",
                [
                    ("run_id", run.map { "\($0.id)" }), ("webhook_id", webhook.map { "\($0.id)" }),
                    ("limit", "\(limit)"),
                ], doing: "show what was delivered")
            output.tell(page) { style in
                let entries = page["deliveries"]?.array ?? []
                guard !entries.isEmpty else { return ["Nothing was sent by webhooks or e-mail."] }
                let lines = entries.flatMap { DeliveryView($0).lines(style) }
                return page["next"] == nil ? lines : lines + [style.faint("There are more; see --limit.")]
            }
        }
    }
}
