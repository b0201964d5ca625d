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

/// What the notifier is made of: the intake of events, and the delivery of webhooks and mails where those are set up.
struct NotifierProcess: Service {
    /// As many events as are recorded in one commit.
    private static let prefetch: UInt16 = 500
    /// How long what is under way may take after the signal, before it is broken off and left to be repeated.
    private static let stopLimit = Duration.seconds(7)
    /// The most webhooks under way at a time, in all and for one.
    private static let webhookSlots = 128
    private static let slotsPerWebhook = 16
    /// The most mails under way at a time, in all and for one person: as many as the client sends at once.
    private static let mailSlots = 8
    private static let slotsPerPerson = 2

    let pool: PostgresPool
    let client: CurlClient
    let intake: Intake
    /// One for each channel that is set up.
    let couriers: [Courier]

    /// Composes the service from the environment: `DATABASE_URL`, `AMQP_URL`; for webhooks `NOTIFIER_PRIVATE_KEY` (or
    /// `_FILE`) and `WEBHOOK_ALLOW_PRIVATE` (for development and tests only); for mails what ``MailSettings`` reads.
    static func compose(_ context: ServiceContext) throws -> ServiceComposition {
        let settings = context.configuration
        let logger = context.logger
        let databaseURL = settings.databaseURL()
        let brokerURL = settings.brokerURL()
        let privateKey = settings.optionalSecret("NOTIFIER_PRIVATE_KEY")
        let allowsPrivate = settings.bool("WEBHOOK_ALLOW_PRIVATE", default: false)
        var problems: [String] = []
        let mails = MailSettings.read(settings, &problems)
        do { try settings.check() } catch { problems = error.problems + problems }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
        let opener = try privateKey.map(Self.opener)
        let address = try BrokerAddress(url: brokerURL)

        let pool = PostgresPool(
            PostgresConfiguration(url: databaseURL, applicationName: context.name), logger: logger)
        let client = CurlClient(userAgent: "TenantAtlas/\(BuildInfo.version)")
        let figures = NotifierFigures(context.metrics)
        let deliveries = Deliveries(
            pool: pool, leaseSeconds: Courier.leaseSeconds, notice: Deliveries.Notice.webhookEnded)
        var couriers: [Courier] = []
        if let opener {
            let sender = WebhookSender(
                client: client, opener: opener, schedule: .webhooks, allowsPrivate: allowsPrivate,
                logger: logger)
            couriers.append(
                Courier(
                    .webhook, slots: webhookSlots, slotsPerLane: slotsPerWebhook, store: deliveries,
                    figures: figures, logger: logger, send: sender.send))
        } else {
            logger.notice("webhooks are off: NOTIFIER_PRIVATE_KEY is not set")
        }
        if let mails {
            let sender = MailSender(client: client, settings: mails, schedule: .mails, logger: logger)
            couriers.append(
                Courier(
                    .email, slots: mailSlots, slotsPerLane: slotsPerPerson, store: deliveries,
                    figures: figures, logger: logger, send: sender.send))
        } else {
            logger.notice("mails are off: SMTP_URL is not set")
        }
        for courier in couriers { show(courier, context.metrics) }
        let consumer = Consumer(
            address: address, topology: JobTopology.notifier, queue: JobTopology.notifierQueue,
            prefetch: prefetch, bodyLimit: TerminalEvent.byteLimit, name: context.name, logger: logger)
        let recorder = EventRecorder(
            store: Notifications(pool: pool), channels: Set(couriers.map(\.channel)), figures: figures,
            logger: logger, due: { [couriers] in Courier.wake(couriers, $0) })
        let intake = Intake(consumer: consumer, logger: logger, decide: recorder.record)
        return ServiceComposition(
            services: [NotifierProcess(pool: pool, client: client, intake: intake, couriers: couriers)],
            readiness: [
                ReadinessCheck("database") {
                    _ = try await pool.query("SELECT 1 FROM delivery_tries LIMIT 1")
                },
                ReadinessCheck("broker") { try consumer.status.requireConnected() },
                // Always well: they are there to be read.
                ReadinessCheck(
                    opener == nil ? "webhooks (off: NOTIFIER_PRIVATE_KEY is not set)" : "webhooks (on)"
                ) {},
                ReadinessCheck(mails == nil ? "mails (off: SMTP_URL is not set)" : "mails (on)") {},
            ])
    }

    private static func show(_ courier: Courier, _ metrics: Metrics) {
        metrics.sampled(
            "tenantatlas_\(courier.channel)_deliveries_active",
            help: "Deliveries by this channel that are under way."
        ) { Double(courier.active) }
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
        let delivering = Task {
            await withDiscardingTaskGroup { group in
                for courier in couriers { group.addTask { await courier.run() } }
            }
        }
        await withGracefulShutdownHandler {
            await taking.value
            await delivering.value
        } onGracefulShutdown: {
            for courier in couriers { courier.stop() }
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
