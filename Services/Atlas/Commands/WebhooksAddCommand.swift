import ArgumentParser
import JSON
import Operations

struct WebhooksAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Make a webhook.",
        discussion: """
            It is told of the ends of the runs that its person or system started, by
            requests that are signed as the Standard Webhooks have it. The secret is shown
            once. With --signing ed25519 there is none: receivers verify with the public
            key.

            The address must be https and lead to the public Internet. Put no secret into
            it; the signature tells who sends.

            EXAMPLES
              atlas webhooks add https://tickets.example.com/hook --label tickets --user ticket-system
              atlas webhooks add https://siem.example.com/in --label SIEM --signing ed25519 --json
            """)

    /// How the requests are signed.
    enum Signing: String, ExpressibleByArgument, CaseIterable {
        case hmac, ed25519

        /// The API's word.
        var word: String { self == .hmac ? "hmac_sha256" : rawValue }
    }

    @Argument(help: "Where the requests go.")
    var url: String

    @Option(help: "What people call it, 1 to 200 characters.")
    var label: String

    @Option(help: "Whose runs it is told of: a unique name, or an id. Without it, yours.")
    var user: String?

    @Option(help: "By a secret that both sides know (hmac), or by a private key (ed25519).")
    var signing = Signing.hmac

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (1...200).contains(label.count) else {
            throw ValidationError("--label must have 1 to 200 characters.")
        }
    }

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            var body: JSONObject = [
                "url": .string(url), "label": .string(label), "signing": .string(signing.word),
            ]
            if let user { body["user_id"] = .string("\(try await api.user(user).id)") }
            let answer = try await api.send("POST", "/v1/webhooks", .object(body), doing: "make the webhook")
            output.tell(answer.body) { style in
                [style.paint("made", .good) + "."] + WebhookView(answer.body).lines(style)
            }
        }
    }
}
