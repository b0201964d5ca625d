import ArgumentParser

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "See what a restore would do, and do it.",
        subcommands: [RestorePreviewCommand.self, RestoreExecuteCommand.self])
}

struct RestorePreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview", abstract: "Say of each item what a restore would do. Writes nothing.",
        discussion: """
            Compares the backup with the tenant as it is now: create, update, unchanged,
            conflict, or not restorable, and why.

            EXAMPLES
              atlas restore preview --backup ID --all
              atlas restore preview --backup ID --item ID --json
            """)

    @OptionGroup var selection: RestoreSelection
    @OptionGroup var options: OutputOptions

    func run() async throws { try await selection.start("preview", options.output) }
}

struct RestoreExecuteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execute", abstract: "Restore items of a backup set, and nothing else.",
        discussion: """
            What is gone is created again with a new id; what differs is changed in place.
            Conditional access comes back report-only. The tenant's write gate must be open.

            EXAMPLES
              atlas restore execute --backup ID --item ID
              atlas restore execute --backup ID --all --assignments-only
              atlas restore execute --backup ID --item ID --leave-assignments
            """)

    @OptionGroup var selection: RestoreSelection
    @OptionGroup var options: OutputOptions

    func run() async throws { try await selection.start("execute", options.output) }
}
