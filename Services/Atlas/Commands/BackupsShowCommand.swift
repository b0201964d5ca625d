import ArgumentParser
import JSON
import Operations

struct BackupsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a backup set and its items.",
        discussion: """
            An item with masked secrets can be restored, but somebody must type the secrets
            in again.

            EXAMPLES
              atlas backups show 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas backups show --json 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @Argument(help: "The set's id: that of the run that made it.")
    var backup: IDArgument<Subject.Run>

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let path = "/v1/backups/\(backup.id)"
            let doing = "show the backup"
            guard var backup = try await api.get(path, [("limit", "1")], doing: doing).object else { return }
            let items = try await api.all(path, "items", doing: doing)
            backup["items"] = .array(items)
            backup["next"] = nil
            let document = JSON.object(backup)
            output.tell(document) { BackupView(document).lines(items, $0) }
        }
    }
}
