import ArgumentParser
import ServiceKit
import FoundationEssentials
import JobRuntime
import Operations
import Store

struct AccessFreezeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeze", abstract: "Stop everything at a place, at once.",
        discussion: """
            No call to Microsoft begins there any more, and nothing new is started. What was
            queued before does not come back by itself, also after «unfreeze».

            EXAMPLES
              atlas access freeze --tenant Contoso --what-if
              atlas access freeze --tenant Contoso
              atlas access freeze --everything
            """)

    @OptionGroup var scope: FreezeOptions
    @OptionGroup var options: ChangeOptions

    func validate() throws {
        guard !scope.everything || !options.whatIf else {
            throw ValidationError(
                "There is nothing to foresee: --everything stops all that is queued or executes.")
        }
    }

    func run() async throws {
        if scope.everything {
            return try await Self.freezeEverything(Settings(), options.output.output)
        }
        try await Settings().withAPI { api in
            let (body, name) = try await scope.resolve(api)
            try await api.change(
                "POST", "/v1/freezes", body, doing: "freeze \(name)", done: "Frozen: \(name).",
                options)
        }
    }

    static func freezeEverything(_ settings: Settings, _ output: Output) async throws {
        try await settings.withDatabase { pool in
            let answer = try await AuthorityChanges(pool: pool, makeID: UUID.timeOrdered)
                .apply(.freeze(.everything), in: FreezeOptions.platform, by: .system)
            try BarrierView(answer).tell("Frozen: everything, in every workspace.", output)
        }
    }
}
