import ArgumentParser
import JSON

struct WebhooksRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Give a webhook another key.",
        discussion: """
            For a while both keys sign each request, so that the receiver can change in
            peace; then only the new one does. With --at-once the old ones end now: for when
            a key has become known.

            EXAMPLES
              atlas webhooks rotate 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas webhooks rotate 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10 --overlap 2d
              atlas webhooks rotate 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10 --at-once
            """)

    /// The longest overlap, in seconds: a week.
    private static let longestOverlap = 604_800

    @OptionGroup var argument: WebhookArgument

    @Option(help: "For how long the old key signs, too, for example 12h; at most 7d.")
    var overlap = TimeSpan(seconds: 86_400)

    @Flag(help: "The old keys end now.")
    var atOnce = false

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard overlap.seconds <= Self.longestOverlap else {
            throw ValidationError("--overlap is at most 7d.")
        }
    }

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let body: JSON = ["overlap_seconds": .int(atOnce ? 0 : overlap.seconds)]
            let answer = try await api.send(
                "POST", "/v1/webhooks/\(argument.id)/rotate", body, doing: "change the webhook's key")
            output.tell(answer.body) { WebhookView(answer.body).lines($0) }
        }
    }
}
