internal import Curl
internal import Logging
internal import Sealing
package import ServiceKit
package import Store

extension GraphGateway {
    /// The gateway as the environment describes it: `CREDENTIAL_PRIVATE_KEY` (several, one a line, while keys
    /// are rotated), `CALL_SECONDS`, and `GRAPH_SANDBOX_URL` where the sandbox cloud is in use.
    package static func fromEnvironment(
        _ context: ServiceContext, permits: CallPermits, connections: ProviderConnections
    ) throws -> GraphGateway {
        let settings = context.configuration
        let keys = settings.secret("CREDENTIAL_PRIVATE_KEY").reveal()
        let call = settings.seconds("CALL_SECONDS", default: 30, in: 3...300)
        let sandbox = settings.optionalURL(
            "GRAPH_SANDBOX_URL", schemes: ["http", "https"], example: "http://127.0.0.1:8090")
        try settings.check()
        return GraphGateway(
            http: CurlClient(userAgent: "TenantAtlas/\(BuildInfo.version)", maxConnectionsPerHost: 512),
            permits: permits, connections: connections,
            opener: Opener(privateKeys: try keys.split(separator: "\n").map(privateKey)),
            sandbox: sandbox.flatMap(Origin.init(url:)),
            limits: GraphGateway.Limits(call: call, token: min(call, .seconds(15))), logger: context.logger,
            random: { Double.random(in: 0..<1) })
    }

    private static func privateKey(_ line: Substring) throws -> SealingPrivateKey {
        try SealingPrivateKey(text: String(line))
    }
}
