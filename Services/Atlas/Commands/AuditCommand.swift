import ArgumentParser

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Look at what was recorded for good, and whether it still is what was recorded.",
        subcommands: [AuditListCommand.self, AuditExportCommand.self, AuditVerifyCommand.self])
}
