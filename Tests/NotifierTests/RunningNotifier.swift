import AMQP
import Curl
import Fixtures
import JobRuntime
import Operations
import Sealing
import ServiceKit
import Store

@testable import Notifier

/// The parts of a notifier, running in the test's process.
struct RunningNotifier: Sendable {
    let intake: Intake
    let couriers: [Courier]
    let recorder: EventRecorder
    let metrics: Metrics

    /// The value of a figure, by name and labels as they are shown; 0 when it was never counted.
    func figure(_ name: String) -> Int {
        metrics.render().split(separator: "\n").first { $0.hasPrefix("\(name) ") }
            .flatMap { Int($0.dropFirst(name.count + 1)) } ?? 0
    }

    /// How many events were received with this result.
    func received(_ result: String) -> Int {
        figure("tenantatlas_terminal_events_total{result=\"\(result)\"}")
    }
}

extension Scene {
    /// How a test's notifier differs from the real one: it does not wait for hours.
    struct Options: Sendable {
        var schedule = DeliverySchedule(delays: [0, 0.1, 0.1], jitter: 0)
        var allowsPrivate = true
        var timeout = Duration.seconds(10)
        var keepLimit = Intake.keepLimit
        var leaseSeconds = Courier.leaseSeconds
        /// By which relay mails go; nil for none.
        var mails: MailSettings?
    }

    /// Runs a notifier while `body` runs, and stops it as the program does.
    func notifying<R>(
        _ options: Options = Options(), _ body: (RunningNotifier) async throws -> R
    ) async throws -> R {
        let client = CurlClient(userAgent: "test")
        let notifier = make(options, client)
        let taking = Task { await notifier.intake.run() }
        let delivering = Task {
            await withDiscardingTaskGroup { group in
                for courier in notifier.couriers { group.addTask { await courier.run() } }
            }
        }
        func stop() async {
            for courier in notifier.couriers { courier.stop() }
            await notifier.intake.stop()
            await taking.value
            await delivering.value
            await client.close()
        }
        do {
            let result = try await body(notifier)
            await stop()
            return result
        } catch {
            await stop()
            throw error
        }
    }

    func make(_ options: Options, _ client: CurlClient) -> RunningNotifier {
        let logger = TestDatabase.quiet
        let metrics = Metrics()
        let figures = NotifierFigures(metrics)
        let store = deliveryStore(leaseSeconds: options.leaseSeconds)
        let webhooks = WebhookSender(
            client: client, opener: Opener(privateKeys: [key]), schedule: options.schedule,
            allowsPrivate: options.allowsPrivate, timeout: options.timeout, logger: logger)
        var couriers = [
            Courier(
                .webhook, slots: 128, slotsPerLane: 16, store: store, figures: figures, logger: logger,
                send: webhooks.send)
        ]
        if let settings = options.mails {
            let mails = MailSender(
                client: client, settings: settings, schedule: options.schedule, timeout: options.timeout,
                logger: logger)
            couriers.append(
                Courier(
                    .email, slots: 8, slotsPerLane: 2, store: store, figures: figures, logger: logger,
                    send: mails.send))
        }
        let recorder = EventRecorder(
            store: Notifications(pool: pool), channels: Set(couriers.map(\.channel)), figures: figures,
            logger: logger, due: { [couriers] in Courier.wake(couriers, $0) })
        let intake = Intake(
            consumer: bareConsumer(), keepLimit: options.keepLimit, logger: logger, decide: recorder.record)
        return RunningNotifier(intake: intake, couriers: couriers, recorder: recorder, metrics: metrics)
    }

    func deliveryStore(leaseSeconds: Double = 60) -> Deliveries {
        Deliveries(pool: pool, leaseSeconds: leaseSeconds, notice: Deliveries.Notice.webhookEnded)
    }
}
