import ArgumentParser
import JSON
import Operations

struct NotificationsRedeliverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redeliver", abstract: "Send something once more by its webhook or e-mail.",
        discussion: """
            It is the same under the same id, so a receiver that had it can tell. It is due
            at once, whatever came of the tries before.

            EXAMPLE
              atlas notifications redeliver 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @Argument(help: "The delivery's id, as «atlas notifications deliveries» shows it.")
    var delivery: IDArgument<Subject.Delivery>

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let answer = try await api.send(
                "POST", "/v1/deliveries/\(delivery.id)/redeliver", doing: "send it again")
            output.tell(answer.body) { DeliveryView(answer.body).lines($0) }
        }
    }
}
