import ArgumentParser
import FoundationEssentials
import JSON
import Operations

struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start an operation on a tenant.",
        discussion: """
            OPERATIONS
            \(operations)

            It is queued, and runs under your access as it is at that moment. Started twice on
            the same connection while it is under way, it is the same run.

            EXAMPLES
              atlas start provider.connection.check --tenant Contoso
              atlas start compliance.snapshot --tenant Contoso --watch
              atlas start compliance.snapshot --connection ID --wait-limit 30m --key T-4711
              atlas start backup.run --tenant Contoso --parameters '{"kinds": ["scope_tag"]}'
            """)

    @Argument(help: "The operation's name.")
    var operation: String

    @Option(help: "The provider connection's id.")
    var connection: String?

    @Option(help: "The tenant, by unique name or id: its default connection.")
    var tenant: String?

    @Option(help: "What is asked of the operation beyond its name, as a JSON object.")
    var parameters: String?

    @Option(help: "How long it may wait before it is given up, for example 30s, 5m, 2h.")
    var waitLimit: TimeSpan?

    @Option(help: "Your own key: the same key gives the same run, also after it has ended.")
    var key: String?

    @Flag(help: "Watch it until it has ended.")
    var watch = false

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (connection == nil) != (tenant == nil) else {
            throw ValidationError("Say where: --tenant NAME or --connection ID, one of them.")
        }
        if let parameters, (try? JSON(parsing: parameters))?.object == nil {
            throw ValidationError("--parameters is no JSON object.")
        }
    }

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let answer = try await start(api)
            guard let run = answer.body["run_id"]?.string else { return }
            if !watch || !output.isJSON { output.tell(answer.body) { Self.lines(answer.body, $0) } }
            guard watch else { return }
            let ended = try await RunWatch(api: api, output: output)
                .follow(run, limit: RunsWatchCommand.defaultTimeout)
            try RunsWatchCommand.tell(ended, output)
        }
    }

    private func start(_ api: APIClient) async throws -> APIAnswer {
        var body: JSONObject = ["operation": .string(operation)]
        if let tenant {
            let place = try await api.tenant(tenant)
            body["provider_connection_id"] = .string("\(try await api.defaultConnection(of: place))")
        } else {
            body["provider_connection_id"] = .optional(connection)
        }
        if let parameters { body["parameters"] = try JSON(parsing: parameters) }
        if let waitLimit { body["wait_limit_seconds"] = .int(waitLimit.seconds) }
        let key = key ?? "atlas-\(UUID().uuidString.lowercased())"
        do {
            return try await api.send(
                "POST", "/v1/runs", .object(body), headers: [("Idempotency-Key", key)],
                doing: "start «\(OperationCatalogue.definition(named: operation)?.label ?? operation)»")
        } catch var failure as Failure where failure.code == .unreachable {
            // Without the key, a run that has begun and ended meanwhile would be started a second time.
            failure.next = "Do it again with --key \(key): then it is not started twice."
            throw failure
        }
    }

    static func lines(_ answer: JSON, _ style: Style) -> [String] {
        let run = answer["run_id"]?.string ?? ""
        let isDuplicate = answer["duplicate"]?.bool == true
        let state = answer["state"]?.string ?? RunState.queued.rawValue
        return [
            isDuplicate
                ? "\(style.paint(state, .active)): it was started before, and nothing was started twice."
                : "\(style.paint(state, .good)).",
            "View run: atlas runs show \(run)",
        ]
    }

    private static let operations = OperationCatalogue.all.map { "  \($0.type.rawValue)" }
        .joined(separator: "\n")
}
