import ArgumentParser
import JSON
import ServiceKit
import Store

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Tell which version this is.",
        discussion: """
            EXAMPLE
              atlas version --json
            """)

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() {
        let schema = Schema.migrations.count
        Output(terminal: .standard, isJSON: json, isExact: false).tell([
            "version": .string(BuildInfo.version), "commit": .string(BuildInfo.commit),
            "database_version": .int(schema),
        ]) { _ in
            ["\(BuildInfo.line("atlas")), for databases at version \(schema)"]
        }
    }
}
