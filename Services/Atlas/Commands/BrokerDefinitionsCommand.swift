import ArgumentParser
import JSON
import JobRuntime

struct BrokerDefinitionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker-definitions",
        abstract: "Write what RabbitMQ loads when it starts: users, rights, exchanges and queues.",
        discussion: """
            Each file holds the AMQP_URL of one service, the very file that the service
            reads. The user in it is the service's name:
              \(BrokerUser.all.prefix(4).map(\.name).joined(separator: ", ")),
              \(BrokerUser.all.dropFirst(4).map(\.name).joined(separator: ", "))
            Passwords are in the result as salted hashes only. Name the result in RabbitMQ's
            configuration (load_definitions = …), and let the services' addresses end with
            declare=false.

            EXAMPLE
              atlas broker-definitions --output definitions.json secrets/amqp-url-*
            """)

    @Option(help: "Where the definitions go; what is there is replaced.")
    var output: String

    @Argument(help: "Files with an AMQP_URL each.")
    var files: [String]

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() throws {
        let (host, logins) = try LoginFile.brokerLogins(files)
        let document = BrokerDefinitions.document(virtualHost: host, logins: logins)
        // The broker runs as another user, and reads it.
        try KeyFile.write(document.text, to: output, mode: 0o644, replaces: true)
        Output(terminal: .standard, isJSON: json, isExact: false).tell([
            "file": .string(output), "virtual_host": .string(host),
            "users": .array(logins.map { .string($0.user.name) }),
        ]) { _ in
            ["\(output): virtual host \(host), users \(logins.map(\.user.name).joined(separator: ", "))"]
        }
    }
}
