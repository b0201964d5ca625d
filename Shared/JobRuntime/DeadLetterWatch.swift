package import AMQP
package import Logging
internal import Operations
package import Store

/// Keeps what lies in the dead-letter queues in the database, where pages read it, and does what people want done with it.
/// Runs in the starter; any number may run, and each queue is gone through by one at a time.
///
/// Whoever goes through a queue takes its messages for a moment. So the queues' depths are looked at, and a queue is gone
/// through only when its depth has changed, somebody wants something done in it, or nobody did for ten minutes.
package struct DeadLetterWatch: Sendable {
    /// How often the depths are looked at: a person waits so long at most for what they wanted done to begin.
    private static let interval = Duration.seconds(2)

    private let mirror: DeadLetterMirror
    private let records: DeadLetterRecords
    private let box: DeadLetterBox
    private let publisher: Publisher
    private let logger: Logger

    /// `publisher` is connected by whoever owns it.
    package init(
        mirror: DeadLetterMirror, records: DeadLetterRecords, box: DeadLetterBox, publisher: Publisher,
        logger: Logger
    ) {
        self.mirror = mirror
        self.records = records
        self.box = box
        self.publisher = publisher
        self.logger = logger
    }

    /// Works until the task is cancelled.
    package func run() async {
        let depths = QueueDepths(
            address: box.address, topology: JobTopology.starter, name: "\(box.name)-depths")
        while !Task.isCancelled {
            do { try await look(depths) } catch {
                if !Task.isCancelled {
                    logger.warning("the dead letters could not be looked at; they stay", error: error)
                }
            }
            try? await Task.sleep(for: Self.interval)
        }
        await depths.close()
    }

    /// Looks once at all queues.
    private func look(_ depths: QueueDepths) async throws {
        let names = JobTopology.queues.map { (queue: $0, dead: JobTopology.deadLetters(of: $0)) }
        let found = try await depths.look(at: names.map(\.dead))
        var queues = try await mirror.take(
            Dictionary(uniqueKeysWithValues: names.map { ($0.queue, found[$0.dead] ?? 0) }))
        do {
            while let queue = queues.first {
                try await goThrough(queue)
                queues.removeFirst()
            }
        } catch {
            // Else nobody could go through them for a minute.
            try? await mirror.release(queues)
            throw error
        }
    }

    private func goThrough(_ queue: String) async throws {
        let wishes = try await mirror.wishes(of: queue)
        var look = DeadLetterMirror.Look()
        look.behind = try await box.pass(queue) { letter, delivery in
            // What was not done is put back, and done by whoever comes next.
            try Task.checkCancellation()
            if let wish = wishes[letter.digest], look.troubles[letter.digest] == nil {
                do {
                    try await fulfil(wish, letter, delivery)
                    look.done.insert(letter.digest)
                    return true
                } catch let refusal as DeadLetterBox.Refusal {
                    look.troubles[letter.digest] = Self.words(refusal)
                }
            }
            look.seen.append(DeadLetterMirror.Seen(letter))
            return false
        }
        try await mirror.finish(queue, look)
        if !look.done.isEmpty || !look.troubles.isEmpty {
            logger.info(
                "dead letters were put back or dropped",
                metadata: [
                    "queue": "\(queue)", "done": "\(look.done.count)", "refused": "\(look.troubles.count)",
                ])
        }
    }

    private func fulfil(
        _ wish: DeadLetterMirror.Wish, _ letter: DeadLetter, _ delivery: Delivery
    ) async throws {
        switch wish.word {
        case .redrive: try await box.redrive(letter, delivery, by: wish.user, publisher, records)
        // Before it is gone: an entry too much is better than one too few.
        case .drop:
            try await records.enter(letter.entry(.deadLetterDropped, by: wish.user, note: wish.note))
        }
    }

    /// What people read.
    private static func words(_ refusal: DeadLetterBox.Refusal) -> String {
        switch refusal {
        case .tooLarge: "It is larger than what any program takes."
        case .notTaken: "The broker did not take it. It stays where it was; try again in a moment."
        }
    }
}

extension DeadLetterMirror.Seen {
    fileprivate init(_ letter: DeadLetter) {
        self.init(
            digest: letter.digest, run: letter.run, reason: letter.reason, diedAt: letter.diedAt,
            messageID: letter.messageID, type: letter.type, size: letter.size)
    }
}
