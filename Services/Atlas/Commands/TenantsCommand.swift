import ArgumentParser

struct TenantsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenants", abstract: "Make and list the tenants of customers.",
        subcommands: [TenantsListCommand.self, TenantsCreateCommand.self])
}
