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
    let intake: EventIntake
    let courier: WebhookCourier
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
        var schedule = WebhookSchedule(delays: [0, 0.1, 0.1], jitter: 0)
        var allowsPrivate = true
        var timeout = Duration.seconds(10)
        var keepLimit = EventIntake.keepLimit
        var leaseSeconds = WebhookCourier.leaseSeconds
        /// The private key; nil for the scene's own.
        var key: SealingPrivateKey?
    }

    /// Runs a notifier while `body` runs, and stops it as the program does.
    func notifying<R>(
        _ options: Options = Options(), _ body: (RunningNotifier) async throws -> R
    ) async throws -> R {
        let client = CurlClient(userAgent: "test")
        let notifier = make(options, client)
        let taking = Task { await notifier.intake.run() }
        let delivering = Task { await notifier.courier.run() }
        func stop() async {
            notifier.courier.stop()
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
        let store = Notifications(pool: pool, leaseSeconds: options.leaseSeconds)
        let courier = WebhookCourier(
            store: store,
            sender: WebhookSender(
                client: client, opener: Opener(privateKeys: [options.key ?? key]), schedule: options.schedule,
                allowsPrivate: options.allowsPrivate, timeout: options.timeout, logger: logger),
            figures: figures, logger: logger)
        let recorder = EventRecorder(
            store: store, usesWebhooks: true, figures: figures, logger: logger, webhooksDue: courier.wake)
        let intake = EventIntake(
            consumer: bareConsumer(), recorder: recorder, keepLimit: options.keepLimit, logger: logger)
        return RunningNotifier(intake: intake, courier: courier, recorder: recorder, metrics: metrics)
    }
}
