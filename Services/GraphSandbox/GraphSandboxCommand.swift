import ArgumentParser
import FoundationEssentials
import JSON
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@main
struct GraphSandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "GraphSandbox",
        abstract: "An emulator of the parts of Microsoft Graph and Intune that TenantAtlas uses.",
        discussion: Help.text,
        version:
            "GraphSandbox, commit \(ProcessInfo.processInfo.environment["TENANTATLAS_COMMIT"] ?? "unknown")")

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 8089

    @Option(help: "What all devices and policies are computed from: equal seeds give equal bytes.")
    var seed: UInt64 = 1

    @Option(help: "A JSON file with the tenants that exist instead of the default ones.")
    var tenants: String?

    @Option(help: "How long access tokens live, in seconds (1…86400).")
    var tokenLifetime = 3_599

    @Flag(help: "Switch the control surface /_sandbox on. It needs a token.")
    var control = false

    @Option(
        help:
            "The control surface's token. Else SANDBOX_CONTROL_TOKEN, or the file SANDBOX_CONTROL_TOKEN_FILE."
    )
    var controlToken: String?

    @Option(help: "How many calls the journal keeps (1…10000000; about 350 bytes each).")
    var journalCapacity = 1_000_000

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be 0…65535.") }
        guard (1...86_400).contains(tokenLifetime) else {
            throw ValidationError("--token-lifetime must be 1…86400.")
        }
        guard (1...10_000_000).contains(journalCapacity) else {
            throw ValidationError("--journal-capacity must be 1…10000000.")
        }
    }

    func run() async throws {
        var options = Sandbox.Options()
        options.seed = seed
        options.tokenLifetime = tokenLifetime
        options.journalCapacity = journalCapacity
        options.controlToken = try control ? readControlToken() : nil
        let server = SandboxServer(
            sandbox: Sandbox(options, tenants: try readTenants()), host: host, port: port)
        try await server.run(stoppingOn: [.sigterm, .sigint]) { url in
            print(JSON.object(["listening": .string(url)]).text)
            // A pipe is buffered, and whoever started the sandbox waits for this line.
            fflush(nil)
        }
    }

    private func readControlToken() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        var token = controlToken ?? environment["SANDBOX_CONTROL_TOKEN"]
        if token == nil, let path = environment["SANDBOX_CONTROL_TOKEN_FILE"] {
            token = try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isWhitespace)
                .first.map(String.init)
        }
        guard let token, token.utf8.count >= 8 else {
            throw ValidationError(
                "--control needs a token of at least 8 characters: --control-token, SANDBOX_CONTROL_TOKEN or"
                    + " SANDBOX_CONTROL_TOKEN_FILE.")
        }
        return token
    }

    private func readTenants() throws -> [Tenant] {
        guard let tenants else { return DefaultTenants.make() }
        do {
            var file = try ControlBody(Array(try Data(contentsOf: URL(filePath: tenants))))
            guard let list = try file.array("tenants"), list.count <= Tenants.limit else {
                throw ControlFailure("It must hold 'tenants', an array of at most \(Tenants.limit).")
            }
            try file.refuseUnread()
            return try list.map { json in
                var body = try ControlBody(json)
                return try Tenant(&body)
            }
        } catch let failure as ControlFailure {
            throw ValidationError("--tenants \(tenants): \(failure.message)")
        }
    }
}
