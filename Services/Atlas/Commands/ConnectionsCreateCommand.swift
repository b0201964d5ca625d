import ArgumentParser
import JSON
import Operations

struct ConnectionsCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a provider connection.",
        discussion: """
            It leads as one application into one Entra tenant. Set its credential next, with
            «atlas credentials set». A tenant's first connection is its default.

            EXAMPLE
              atlas connections create --tenant Contoso --entra-tenant-id ID --client-id ID
            """)

    @Option(help: "The tenant: a unique name, or an id.")
    var tenant: String

    @Option(help: "What people call the connection, 1 to 200 characters; else the tenant's name.")
    var name: String?

    @Option(help: "The directory's id: a UUID, never a domain.")
    var entraTenantID: String

    @Option(help: "What people call the directory; else the tenant's name.")
    var entraTenantName: String?

    @Option(help: "The application's id (client id) in the directory.")
    var clientID: String

    @Option(help: "global, us_government, us_government_dod, china or sandbox. It stays for good.")
    var cloud = "global"

    @Flag(help: "Make it the tenant's default in place of the present one.")
    var `default` = false

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let place = try await api.tenant(tenant)
            let body: JSON = [
                "display_name": .string(name ?? place.name), "cloud": .string(cloud),
                "entra_tenant_id": .string(entraTenantID),
                "entra_tenant_name": .string(entraTenantName ?? place.name),
                "client_id": .string(clientID), "default": .bool(`default`),
            ]
            let made = try await api.send(
                "POST", "/v1/tenants/\(place.id)/provider-connections", body, doing: "make the connection")
            output.tell(made.body) { style in
                ["\(style.paint("made", .good))."] + ConnectionView(made.body).lines(style)
            }
        }
    }
}
