package import FoundationEssentials
package import Logging
package import Store

/// Keeps this process's lease alive, and ends the process's work when the lease is lost.
package struct WorkerLease: Sendable {
    private let workers: Workers
    private let id: UUID
    private let service: String
    private let interval: Duration
    /// How soon a renewal that failed is tried again.
    private static let retryInterval = Duration.seconds(1)
    private let logger: Logger

    /// Renews every third of `leaseSeconds`.
    package init(workers: Workers, id: UUID, service: String, leaseSeconds: Double, logger: Logger) {
        self.workers = workers
        self.id = id
        self.service = service
        interval = .seconds(leaseSeconds / 3)
        self.logger = logger
    }

    /// Enters the worker, trying until the database answers or the task is cancelled.
    package func register() async throws {
        while true {
            do {
                return try await workers.register(id, service: service)
            } catch {
                try Task.checkCancellation()
                logger.warning(
                    "the worker could not be entered; trying again", error: error)
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Renews until the task is cancelled. Throws ``StoreError/workerEnded`` when others have taken over: the
    /// process must end and start anew, under a new id. An unreachable database is not the end: the lease is
    /// judged there, and nothing can be begun or called without it meanwhile.
    package func run() async throws {
        var pause = interval
        while !Task.isCancelled {
            try? await Task.sleep(for: pause)
            if Task.isCancelled { return }
            do {
                try await workers.renew(id)
                pause = interval
            } catch StoreError.workerEnded {
                logger.error("the lease of this worker has ended; its runs are repaired by others")
                throw StoreError.workerEnded
            } catch {
                logger.warning("the lease could not be renewed", error: error)
                pause = min(interval, Self.retryInterval)
            }
        }
    }

    /// Gives the lease back.
    package func end() async {
        do { try await workers.end(id) } catch {
            logger.warning("the lease could not be given back", error: error)
        }
    }
}
