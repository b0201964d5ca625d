import JobRuntime
import Operations
import Sealing
import ServiceKit
import Store

/// What the starter reads from its environment.
struct StarterSettings: Sendable {
    let databaseURL: String
    let brokerURL: String
    /// How long a committed message belongs to the process that wrote or claimed it, in seconds.
    let outboxLeaseSeconds: Double
    /// The families whose consumers are deployed.
    let families: Set<OperationFamily>
    /// How long after it was queued or due a run is rung for again, in seconds.
    let reminderSeconds: Double
    /// Requests that a token may send in a second, in the long run; 0 for no limit.
    let requestsPerSecond: Int
    /// What credentials are sealed to; nil where none can be set.
    let credentialKey: SealingPublicKey?
    /// What the secrets of webhooks are sealed to; nil when none can be made here.
    let notifierKey: SealingPublicKey?
    /// For development: webhooks with plain HTTP.
    let allowsPrivateWebhooks: Bool

    /// Reads everything, then throws everything that is wrong.
    init(_ configuration: Configuration) throws(ConfigurationError) {
        databaseURL = configuration.databaseURL()
        brokerURL = configuration.brokerURL()
        outboxLeaseSeconds = configuration.seconds("OUTBOX_LEASE_SECONDS", default: 10, in: 1...300).seconds
        reminderSeconds = configuration.seconds("REMINDER_SECONDS", default: 300, in: 10...86_400).seconds
        requestsPerSecond = configuration.integer("RATE_LIMIT_PER_SECOND", default: 200, in: 0...1_000_000)
        allowsPrivateWebhooks = configuration.bool("WEBHOOK_ALLOW_PRIVATE", default: false)
        let keyText = configuration.optionalSecret("NOTIFIER_PUBLIC_KEY")
        notifierKey = keyText.flatMap { try? SealingPublicKey(text: $0.reveal()) }
        let names = configuration.string("FAMILIES", default: "provider", example: "provider,inventory")
            .split(separator: ",").map { $0.filter { $0 != " " } }
        families = Set(names.compactMap(OperationFamily.init))
        let credentialText = configuration.optionalSecret("CREDENTIAL_PUBLIC_KEY")
        credentialKey = credentialText.flatMap { try? SealingPublicKey(text: $0.reveal()) }
        try Self.check(
            configuration, familiesAreKnown: families.count == names.count && !families.isEmpty,
            unreadableKeys: [
                ("CREDENTIAL_PUBLIC_KEY", (credentialText == nil) == (credentialKey == nil)),
                ("NOTIFIER_PUBLIC_KEY", (keyText == nil) == (notifierKey == nil)),
            ].filter { !$0.1 }.map(\.0))
    }

    private static func check(
        _ configuration: Configuration, familiesAreKnown: Bool, unreadableKeys: [String]
    ) throws(ConfigurationError) {
        var problems: [String] = []
        do { try configuration.check() } catch { problems = error.problems }
        if !familiesAreKnown {
            let known = OperationFamily.allCases.map(\.rawValue).joined(separator: ",")
            problems.append("FAMILIES is not a list of different families; for example FAMILIES=\(known)")
        }
        for name in unreadableKeys { problems.append("\(name) is \(SealingError.notAPublicKey)") }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }
}
