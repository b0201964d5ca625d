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

            It is queued, and runs under your access as it is at that moment. Started twice
            on the same connection while it is under way, it is the same run.

            EXAMPLES
              atlas start provider.connection.check --tenant Contoso
              atlas start compliance.snapshot --tenant Contoso --watch
              atlas start compliance.snapshot --connection ID --wait-limit 30m --key T-4711
              atlas start backup.run --tenant Contoso --parameters '{"kinds": ["scope_tag"]}'

            IN BULK
              Operations of the bulk family change what the inventory has (inventory.sync reads it):
              all that meets a filter, or named items. Look with --dry-run what that would be.

              atlas start device.bulk_sync --tenant Contoso --dry-run --parameters @devices.json
              atlas start policy.bulk_assign --tenant Contoso --parameters @ring.json --watch
              atlas start policy.bulk_delete --tenant Contoso --parameters @old.json

              devices.json {"filter": {"operating_system": "Windows"}}
              ring.json    {"kind": "device_configuration",
                            "filter": {"name_contains": "Wi-Fi"},
                            "assignment": {"target": "group", "group_id": "ID"}}
              old.json     {"kind": "device_script", "items": ["ID", "ID"]}

              kind    \(Self.words(BulkSelection.kinds.prefix(3)))
                      \(Self.words(BulkSelection.kinds.dropFirst(3)))
              filter  of policies name_contains, type; of devices name_contains,
                      operating_system, compliance_state, owner_type; or "all": true
              target  \(BulkAssignment.Target.allCases.map(\.rawValue).joined(separator: ", "));
                      with filter_id also filter_mode: include, exclude
            """)

    @OptionGroup var wish: OperationOptions

    @Option(help: "How long it may wait before it is given up, for example 30s, 5m, 2h.")
    var waitLimit: TimeSpan?

    @Option(help: "Your own key: the same key gives the same run, also after it has ended.")
    var key: String?

    @Flag(help: "Start nothing: tell what a bulk operation would change, by the inventory.")
    var dryRun = false

    @Flag(help: "Watch it until it has ended.")
    var watch = false

    @OptionGroup var options: OutputOptions

    func validate() throws {
        if dryRun, watch || waitLimit != nil || key != nil {
            throw ValidationError("--dry-run starts nothing: leave out --watch, --wait-limit and --key.")
        }
    }

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            if dryRun {
                let choice = try await look(api)
                return output.tell(choice) { Self.choiceLines(choice, $0) }
            }
            let answer = try await start(api)
            guard let run = answer.body["run_id"]?.string else { return }
            if !watch || !output.isJSON { output.tell(answer.body) { Self.lines(answer.body, $0) } }
            guard watch else { return }
            let ended = try await RunWatch(api: api, output: output)
                .follow(run, limit: RunsWatchCommand.defaultTimeout)
            try RunsWatchCommand.tell(ended, output)
        }
    }

    private func look(_ api: APIClient) async throws -> JSON {
        try await api.send(
            "POST", "/v1/dry-runs", .object(try await wish.body(api)),
            doing: "look what «\(label)» would change"
        ).body
    }

    private func start(_ api: APIClient) async throws -> APIAnswer {
        var body = try await wish.body(api)
        if let waitLimit { body["wait_limit_seconds"] = .int(waitLimit.seconds) }
        let key = key ?? "atlas-\(UUID().uuidString.lowercased())"
        do {
            return try await api.send(
                "POST", "/v1/runs", .object(body), headers: [("Idempotency-Key", key)],
                doing: "start «\(label)»")
        } catch var failure as Failure where failure.code == .unreachable {
            // Without the key, a run that has begun and ended meanwhile would be started a second time.
            failure.next = "Do it again with --key \(key): then it is not started twice."
            throw failure
        }
    }

    private var label: String { wish.label }

    static func choiceLines(_ choice: JSON, _ style: Style) -> [String] {
        let eligible = choice["eligible"]?.integer ?? 0
        var lines = [style.bold("\(Presentation.grouped(eligible)) would be changed. Nothing was started.")]
        for (why, count) in choice["not_eligible"]?.object?.members ?? [] {
            let words = Style.plain(Presentation.ineligible(why))
            lines.append("\(Presentation.grouped(count.integer ?? 0)) can't be: \(words).")
        }
        let examples = (choice["examples"]?.array ?? []).compactMap(\.string)
        lines += examples.map { "  " + Style.plain($0) }
        if eligible > examples.count, !examples.isEmpty { lines.append("  …") }
        return lines
    }

    private static func words(_ kinds: ArraySlice<PolicyKind>) -> String {
        kinds.map(\.rawValue).joined(separator: ", ")
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
