import ArgumentParser
import JSON

struct RunsItemsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "items", abstract: "Show what a run did to each thing, or would do.",
        discussion: """
            EXAMPLES
              atlas runs items 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas runs items --json 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @OptionGroup var argument: RunArgument
    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let items = try await Self.items(of: "\(argument.id)", api)
            output.tell(["items": .array(items)]) { RunItemsView(items).lines($0) }
        }
    }

    static func items(of run: String, _ api: APIClient) async throws -> [JSON] {
        try await api.all("/v1/runs/\(run)/items", "items", doing: "show the run's items")
    }
}
