import AMQP
import JobRuntime
import Logging
import Operations
import Postgres
import Store

/// Turns received events into notifications, a burst at a time.
///
/// An event grants nothing: it names a run, and everything that is told comes from that run's row. One that
/// names no ended run, or tells something else than the row does, was not written by this system.
struct EventRecorder: Sendable {
    private enum Recording: Sendable {
        case told([NotificationPolicy.Channel])
        case duplicate
        /// A run of the system: nobody waits for it.
        case nobody
        case forged
    }

    private let recordings: GroupCommit<TerminalEvent, Recording>
    private let figures: NotifierFigures
    private let logger: Logger
    private let due: @Sendable (Set<NotificationPolicy.Channel>) -> Void

    /// `channels`: those that are delivered here, beside the inbox. `due` is called after a commit that left something
    /// to be delivered.
    init(
        store: Notifications, channels: Set<NotificationPolicy.Channel>, figures: NotifierFigures,
        logger: Logger, due: @escaping @Sendable (Set<NotificationPolicy.Channel>) -> Void
    ) {
        recordings = GroupCommit { events in
            try await Self.tell(events, store: store, channels: channels)
        }
        self.figures = figures
        self.logger = logger
        self.due = due
    }

    /// Commits what the burst gives rise to, and says how to settle it. Recording a delivery again changes
    /// nothing.
    func record(_ burst: [Delivery]) async -> Intake.Verdict {
        var verdict = Intake.Verdict()
        var events: [(delivery: Delivery, event: TerminalEvent)] = []
        for delivery in burst {
            if !delivery.oversized, let event = TerminalEvent(body: delivery.body) {
                events.append((delivery, event))
            } else {
                verdict.refused.append(delivery.tag)
                figures.received("unreadable")
                logger.warning(
                    "an unreadable event goes to the dead letters",
                    metadata: ["bytes": "\(delivery.bodySize)"])
            }
        }
        var channels: Set<NotificationPolicy.Channel> = []
        let results = await recordings.submit(events.map(\.event))
        for (index, result) in results.enumerated() {
            let (delivery, event) = events[index]
            do {
                let recording = try result.get()
                count(recording)
                switch recording {
                case .told(let told):
                    verdict.done.append(delivery.tag)
                    channels.formUnion(told)
                case .duplicate, .nobody:
                    verdict.done.append(delivery.tag)
                case .forged:
                    verdict.refused.append(delivery.tag)
                    logger.warning(
                        "an event that no ended run bears out goes to the dead letters",
                        metadata: ["run": "\(event.runID)"])
                }
            } catch let error as PostgresError where error.blamesTheData {
                verdict.refused.append(delivery.tag)
                figures.received("refused")
                logger.error(
                    "an event that the database refuses goes to the dead letters", error: error,
                    metadata: ["run": "\(event.runID)"])
            } catch {
                if verdict.undecided.isEmpty {
                    logger.warning("events could not be recorded", error: error)
                }
                verdict.undecided.append(delivery)
            }
        }
        if !channels.isEmpty { due(channels) }
        return verdict
    }

    private func count(_ recording: Recording) {
        switch recording {
        case .told(let channels):
            figures.received("recorded")
            for channel in channels { figures.notified(channel, "recorded") }
        case .duplicate: figures.received("duplicate")
        case .nobody: figures.received("nobody")
        case .forged: figures.received("forged")
        }
    }

    private static func tell(
        _ events: [TerminalEvent], store: Notifications, channels: Set<NotificationPolicy.Channel>
    ) async throws -> [Recording] {
        let ended = try await store.endedRuns(Set(events.map(\.runID)))
        let genuine = events.map { event in
            ended[event.runID].flatMap { event.agrees(with: $0.event) ? $0 : nil }
        }
        let recipients = try await recipients(of: genuine.compactMap(\.self), store)
        var notifications: [NewNotification] = []
        for (run, people) in recipients {
            let text = NotificationText(run)
            notifications += people.map {
                NewNotification(run: run, recipient: $0, title: text.title, body: text.body)
            }
        }
        var added = try await store.add(notifications, channels: channels)
        return genuine.map { run in
            guard let run else { return .forged }
            guard recipients[run] != nil else { return .nobody }
            // Taken out: a second event of the same run in this burst is a duplicate.
            return added.removeValue(forKey: run.event.runID).map(Recording.told) ?? .duplicate
        }
    }

    /// Who is told of each run; a run that nobody is told of is missing.
    private static func recipients(
        of runs: [EndedRun], _ store: Notifications
    ) async throws -> [EndedRun: Set<UserID>] {
        var recipients: [EndedRun: Set<UserID>] = [:]
        var refused: [RunID: (run: EndedRun, person: UserID)] = [:]
        for run in runs {
            switch NotificationPolicy.audience(of: run.event, schedule: run.scheduleID) {
            case .nobody: break
            case .initiator(let person): recipients[run] = [person]
            case .managersOnce(_, let person): refused[run.event.runID] = (run, person)
            }
        }
        for (id, managers) in try await store.managers(toTellOf: Array(refused.keys)) {
            if let (run, person) = refused[id] { recipients[run] = Set(managers).union([person]) }
        }
        return recipients
    }
}

extension TerminalEvent {
    /// Whether it tells of the same end as `row`, the event that the run's row would give.
    fileprivate func agrees(with row: TerminalEvent) -> Bool {
        initiatorID == row.initiatorID && outcome == row.outcome && operation == row.operation
            && workspaceID == row.workspaceID && tenantID == row.tenantID && connectionID == row.connectionID
    }
}

extension PostgresError {
    /// Whether a value or a reference is wrong (classes 22 and 23): repeating the same never helps. The batch
    /// was split before, so it is this event's alone.
    fileprivate var blamesTheData: Bool {
        sqlState.map { $0.hasPrefix("22") || $0.hasPrefix("23") } ?? false
    }
}
