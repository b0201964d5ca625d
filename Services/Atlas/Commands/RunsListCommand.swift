import ArgumentParser
import JSON
import Operations

struct RunsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List runs, newest first.",
        discussion: """
            EXAMPLES
              atlas runs list
              atlas runs list --tenant Contoso --outcome failed
              atlas runs list --state queued --json
            """)

    @Option(help: "Only of this tenant: a unique name, or an id.")
    var tenant: String?

    @Option(help: "Only in this state: \(words(RunState.self)).")
    var state: String?

    @Option(help: "Only with this outcome: \(words(RunOutcome.self)).")
    var outcome: String?

    @OptionGroup var page: PageOptions

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard state.map({ RunState(rawValue: $0) != nil }) ?? true else {
            throw ValidationError("--state must be one of \(Self.words(RunState.self)).")
        }
        guard outcome.map({ RunOutcome(rawValue: $0) != nil }) ?? true else {
            throw ValidationError("--outcome must be one of \(Self.words(RunOutcome.self)).")
        }
    }

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            var place: TenantID?
            if let tenant { place = try await api.tenant(tenant).id }
            let answer = try await api.get(
                "/v1/runs",
                [
                    ("tenant_id", place?.description), ("state", state), ("outcome", outcome),
                    page.query,
                ], doing: "list runs")
            output.tell(answer) { Self.lines(answer, $0) }
        }
    }

    static func lines(_ page: JSON, _ style: Style) -> [String] {
        let runs = page["runs"]?.array ?? []
        guard !runs.isEmpty else { return ["There are no such runs."] }
        let lines = Table.lines(RunView.header, runs.map { RunView($0).row(style) }, style)
        return PageOptions.lines(lines, of: page, style)
    }

    private static func words<Word: RawRepresentable<String> & CaseIterable>(_ type: Word.Type) -> String {
        Word.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
