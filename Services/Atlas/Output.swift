import ArgumentParser
import Operations
import ServiceKit
import FoundationEssentials
import JSON

/// The flags of every command that tells something.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON, for machines.")
    var json = false

    @Flag(help: "Show exact times with their zone instead of relative ones.")
    var exact = false

    /// Where the command tells it.
    var output: Output { Output(terminal: .standard, isJSON: json, isExact: exact) }

    /// Reads what is at `path` and tells it. `doing` completes «Could not …».
    func show(_ path: String, doing: String, _ lines: (JSON, Style) -> [String]) async throws {
        try await Settings().withAPI { api in
            let answer = try await api.get(path, doing: doing)
            output.tell(answer) { lines(answer, $0) }
        }
    }
}

/// Tells people and machines what came of a command.
struct Output: Sendable {
    let terminal: Terminal
    /// Whether a machine reads it: then it is JSON, and nothing else.
    let isJSON: Bool
    private let isExact: Bool

    init(terminal: Terminal, isJSON: Bool, isExact: Bool) {
        self.terminal = terminal
        self.isJSON = isJSON
        self.isExact = isExact
    }

    /// How texts look now.
    var style: Style {
        Style(hasColours: terminal.hasColours, times: Times(now: Date(), isExact: isExact))
    }

    /// The document for machines, the lines for people.
    func tell(_ json: @autoclosure () -> JSON, _ lines: (Style) -> [String]) {
        if isJSON {
            terminal.line(json().text)
        } else {
            for line in lines(style) { terminal.line(line) }
        }
    }
}
