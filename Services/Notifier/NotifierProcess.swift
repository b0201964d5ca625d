import AMQP
import Curl
import JobRuntime
import Logging
import Operations
import Postgres
import Sealing
import ServiceKit
import ServiceLifecycle
import Store

/// What the notifier is made of: the intake of events and, with a private key, the delivery of webhooks.
struct NotifierProcess: Service {
    /// As many events as are recorded in one commit.
    private static let prefetch: UInt16 = 500
    /// How long what is under way may take after the signal, before it is broken off and left to be repeated.
    private static let stopLimit = Duration.seconds(7)

    let pool: PostgresPool
    let client: CurlClient
    let intake: EventIntake
    /// Nil when no private key is configured: webhooks are off.
    let courier: WebhookCourier?

    /// Composes the service from the environment: `DATABASE_URL`, `AMQP_URL`, `NOTIFIER_PRIVATE_KEY` (or
    /// `_FILE`; without it webhooks are off), `WEBHOOK_ALLOW_PRIVATE` (for development and tests only).
    static func compose(_ context: ServiceContext) throws -> ServiceComposition {
        let settings = context.configuration
        let logger = context.logger
        let databaseURL = settings.url(
            "DATABASE_URL", schemes: ["postgres", "postgresql"], example: "postgres://atlas@db/atlas")
        let brokerURL = settings.url("AMQP_URL", schemes: ["amqp", "amqps"], example: "amqp://atlas@broker/")
        let privateKey = settings.optionalSecret("NOTIFIER_PRIVATE_KEY")
        let allowsPrivate = settings.bool("WEBHOOK_ALLOW_PRIVATE", default: false)
        try settings.check()
        let opener = try privateKey.map(Self.opener)
        let address = try BrokerAddress(url: brokerURL)

        let pool = PostgresPool(
            PostgresConfiguration(url: databaseURL, applicationName: context.name), logger: logger)
        let store = Notifications(pool: pool, leaseSeconds: WebhookCourier.leaseSeconds)
        let client = CurlClient(userAgent: "TenantAtlas/\(BuildInfo.version)")
        let figures = NotifierFigures(context.metrics)
        let courier = opener.map { opener in
            WebhookCourier(
                store: store,
                sender: WebhookSender(
                    client: client, opener: opener, schedule: .standard, allowsPrivate: allowsPrivate,
                    logger: logger),
                figures: figures, logger: logger)
        }
        if let courier {
            context.metrics.sampled(
                "tenantatlas_webhook_deliveries_active", help: "Webhook deliveries that are under way."
            ) { Double(courier.active) }
        } else {
            logger.notice("webhooks are off: NOTIFIER_PRIVATE_KEY is not set")
        }
        let consumer = Consumer(
            address: address, topology: JobTopology.notifier, queue: JobTopology.notifierQueue,
            prefetch: prefetch, bodyLimit: TerminalEvent.byteLimit, name: context.name, logger: logger)
        let intake = EventIntake(
            consumer: consumer,
            recorder: EventRecorder(
                store: store, usesWebhooks: courier != nil, figures: figures, logger: logger,
                webhooksDue: { courier?.wake() }),
            logger: logger)
        return ServiceComposition(
            services: [NotifierProcess(pool: pool, client: client, intake: intake, courier: courier)],
            readiness: [
                ReadinessCheck("database") {
                    _ = try await pool.query("SELECT 1 FROM notifications LIMIT 1")
                },
                ReadinessCheck("broker") { try consumer.status.requireConnected() },
                // Always well: it is there to be read.
                ReadinessCheck(
                    courier == nil ? "webhooks (off: NOTIFIER_PRIVATE_KEY is not set)" : "webhooks (on)"
                ) {},
            ])
    }

    private static func opener(_ key: ServiceKit.Secret) throws -> Opener {
        do {
            return Opener(privateKeys: [try SealingPrivateKey(text: key.reveal())])
        } catch {
            throw ConfigurationError(problems: ["NOTIFIER_PRIVATE_KEY is \(error)"])
        }
    }

    /// Works until the process is to stop; then takes nothing new, lets what is under way end, and closes.
    func run() async throws {
        let taking = Task { await intake.run() }
        let delivering = Task { await courier?.run() }
        await withGracefulShutdownHandler {
            await taking.value
            await delivering.value
        } onGracefulShutdown: {
            courier?.stop()
            Task { await intake.stop() }
            Task {
                try await Task.sleep(for: Self.stopLimit)
                taking.cancel()
                delivering.cancel()
            }
        }
        await client.close()
        await pool.close()
    }
}
