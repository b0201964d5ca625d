import Waiting
import ServiceKit
import AMQP
import Fixtures
import Foundation
import JSON
import JobRuntime
import Operations
import Postgres
import Store

/// Starts the run of each case, and brings its message to the consumers in the case's way.
struct CaseRuns {
    let pool: PostgresPool
    let address: BrokerAddress
    let relay: OutboxRelay
    /// What a case's start asks for beyond the operation.
    let parameters: (OperationType, CasePlaces.Place) -> JSON?

    /// Nobody else may publish what is started here: the conditions come first.
    private static let outboxLeaseSeconds = 3_600.0
    /// The attempt that a delayed retry brings.
    static let laterAttempt = 2

    /// A case with its place and its run.
    struct Started: Sendable {
        let row: ExecutionCase
        let place: CasePlaces.Place
        let run: RunID
        let message: PendingMessage

        var attempt: Int { row.delivery == .delayedRetry ? CaseRuns.laterAttempt : 1 }
    }

    /// Starts everything while all is allowed.
    func start(_ cases: [ExecutionCase], at places: [CasePlaces.Place]) async throws -> [Started] {
        let repeated = zip(cases, places).filter { $0.0.delivery == .manualRetry }
        let first = try await start(repeated.map { ($0.0, $0.1, nil) })
        try await endWithFailure(first.map(\.run))
        var ended = first[...]
        return try await start(
            zip(cases, places).map { row, place in
                (row, place, row.delivery == .manualRetry ? ended.removeFirst().run : nil)
            })
    }

    private func start(
        _ all: [(ExecutionCase, CasePlaces.Place, RunID?)]
    ) async throws -> [Started] {
        let starts = StartService(
            pool: pool, families: Set(OperationFamily.allCases), outboxLeaseSeconds: Self.outboxLeaseSeconds,
            makeID: UUID.timeOrdered)
        return try await withThrowingTaskGroup(of: (Int, Started).self) { group in
            for (index, (row, place, earlier)) in all.enumerated() {
                let request = StartRequest(
                    operation: row.operation.type.rawValue, connectionID: place.connection,
                    parameters: parameters(row.operation.type, place),
                    initiatorID: row.isSystem ? nil : place.person,
                    origin: row.isSystem ? .schedule : .person,
                    retryOf: earlier)
                group.addTask {
                    guard case .accepted(let run, let message) = try await starts.start(request) else {
                        throw NotInTime(description: "\(row): the start was not accepted")
                    }
                    return (
                        index, Started(row: row, place: place, run: run.execution.runID, message: message)
                    )
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func endWithFailure(_ runs: [RunID]) async throws {
        let ids = [Parameter.uuids(runs.map(\.uuid))]
        _ = try await pool.pipeline([
            (
                """
                UPDATE runs SET state = 'completed', outcome = 'failed', reason_code = 'provider_unreachable',
                                started_at = clock_timestamp(), completed_at = clock_timestamp()
                WHERE id = ANY ($1::uuid[])
                """, ids
            ),
            ("DELETE FROM outbox WHERE run_id = ANY ($1::uuid[])", ids),
        ])
    }

    /// Makes the runs wait for their next attempt, whose message is due in the outbox now.
    func delay(_ all: [Started]) async throws {
        let jobs = all.map { JobMessage(runID: $0.run, attempt: Self.laterAttempt) }
        let ids = Parameter.uuids(jobs.map(\.runID.uuid))
        _ = try await pool.pipeline([
            (
                """
                UPDATE runs SET attempt = 2, failed_attempts = 1, reason_code = 'throttled',
                                next_attempt_at = clock_timestamp()
                WHERE id = ANY ($1::uuid[])
                """, [ids]
            ),
            (
                """
                UPDATE outbox o SET due_at = clock_timestamp(), message_id = m.id, body = m.body
                FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS m (run, id, body) WHERE o.run_id = m.run
                """,
                [ids, .texts(jobs.map(\.messageID)), .byteArrays(jobs.map { $0.body(traceparent: nil) })]
            ),
        ])
    }

    /// Publishes the messages, and waits until the broker has all of them.
    func publish(_ all: [Started]) async throws {
        relay.publish(all.map(\.message))
        let ids = Parameter.uuids(all.map(\.run.uuid))
        _ = try await eventually("the messages are published") {
            let left = try await pool.query(
                "SELECT count(*) FROM outbox WHERE run_id = ANY ($1::uuid[])", [ids])[0].int(0)
            return left == 0 ? true : nil
        }
    }

    /// Takes everything that lies in the families' queues and is lost with it: the broker delivers it again. Returns
    /// how many messages that were.
    func loseConsumers(of families: Set<OperationFamily>) async throws -> Int {
        var count = 0
        for family in families {
            let reader = QueueReader(
                address: address, topology: JobTopology.starter, queue: JobTopology.queue(of: family),
                bodyLimit: JobMessage.byteLimit, name: "lost")
            count += try await reader.take(limit: 10_000).messages.count
            await reader.close()
        }
        return count
    }
}
