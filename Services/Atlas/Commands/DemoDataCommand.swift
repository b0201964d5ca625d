import ArgumentParser
import Curl
import ServiceKit

struct DemoDataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-data", abstract: "Make a workspace with tenants and people to try things on.",
        discussion: """
            Needs DATABASE_URL and CREDENTIAL_PUBLIC_KEY (or CREDENTIAL_PUBLIC_KEY_FILE).
            Safe to repeat: what is there stays, and tokens are new each time. The tenants
            are registered at the sandbox that --sandbox or GRAPH_SANDBOX_URL names.

            EXAMPLES
              atlas demo-data --sandbox http://127.0.0.1:8089 --sandbox-token open-sesame
              atlas demo-data --large --json
            """)

    @Option(help: "The Graph sandbox's address. Else GRAPH_SANDBOX_URL; without both, it is left out.")
    var sandbox: String?

    @Option(help: "Its control token. Better in SANDBOX_CONTROL_TOKEN(_FILE): others may read arguments.")
    var sandboxToken: String?

    @Flag(help: "Add «Wide World Importers» with 100,000 devices.")
    var large = false

    @Flag(help: "Print JSON, for machines. It holds the tokens.")
    var json = false

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        let settings = Settings()
        let (tenants, key) = (DemoWorld.tenants(large: large), try settings.credentialKey())
        let place = try settings.sandbox(url: sandbox, token: sandboxToken)
        try await settings.withDatabase { pool in
            // First what may be away: then nothing is half done.
            if let place { try await Self.register(tenants, url: place.url, token: place.token) }
            let demo = DemoData(pool: pool, key: key, tenants: tenants)
            let tokens = try await demo.load()
            output.tell(demo.json(tokens)) { demo.lines(tokens, isRegistered: place != nil, $0) }
        }
    }

    private static func register(
        _ tenants: [DemoWorld.Tenant], url: String, token: ServiceKit.Secret
    ) async throws {
        let client = CurlClient(userAgent: "atlas/\(BuildInfo.version)")
        let sandbox = DemoSandbox(url: url, token: token, client: client)
        for tenant in tenants { try await sandbox.register(tenant) }
    }
}
