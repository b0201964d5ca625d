import ArgumentParser
import Operations

/// The webhook that a command is about.
struct WebhookArgument: ParsableArguments {
    @Argument(help: "The webhook's id.")
    var webhook: IDArgument<Subject.Webhook>

    /// Its id.
    var id: WebhookID { webhook.id }

    /// Switches the webhook by the API's word for it, `enable` or `disable`, and shows what it is then.
    func change(_ word: String, _ output: Output) async throws {
        try await Settings().withAPI { api in
            let answer = try await api.send(
                "POST", "/v1/webhooks/\(id)/\(word)", doing: "\(word) the webhook")
            output.tell(answer.body) { WebhookView(answer.body).lines($0) }
        }
    }
}
