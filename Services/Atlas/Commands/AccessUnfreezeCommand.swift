import ArgumentParser
import ServiceKit
import FoundationEssentials
import JSON
import JobRuntime
import Operations
import Store

struct AccessUnfreezeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unfreeze", abstract: "Lift a freeze.",
        discussion: """
            New work can be started again. What was queued before the freeze stays refused.

            EXAMPLES
              atlas access unfreeze --tenant Contoso
              atlas access unfreeze --everything
            """)

    @OptionGroup var scope: FreezeOptions

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        if scope.everything { return try await Self.unfreezeEverything(Settings(), output) }
        try await Settings().withAPI { api in
            let (body, name) = try await scope.resolve(api)
            try await api.change(
                "POST", "/v1/freezes/lift", .object(body), doing: "unfreeze \(name)",
                done: "No longer frozen: \(name).", output)
        }
    }

    static func unfreezeEverything(_ settings: Settings, _ output: Output) async throws {
        try await settings.withDatabase { pool in
            try await AuthorityChanges(pool: pool, makeID: UUID.timeOrdered)
                .unfreeze(.everything, in: FreezeOptions.platform, by: .system)
        }
        output.tell(["done": true]) { _ in ["No longer frozen: everything."] }
    }
}
