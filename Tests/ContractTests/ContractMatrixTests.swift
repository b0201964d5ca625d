import Waiting
import AMQP
import Curl
import Fixtures
import Foundation
import GraphFixtures
import JSON
import JobRuntime
import Operations
import Postgres
import Sealing
import Store
import Testing

/// The contract of execution: `specs/149-queued-execution-reauthorization/contracts/execution-cases.json`, row by row,
/// by the real consumers on the real broker against the sandbox.
@Suite("Contract matrix", .serialized)
struct ContractMatrixTests {
    private static let families = Set(OperationFamily.allCases)

    @Test("the table names every reason of the gate, with the class and the retryability that it has")
    func tableIsComplete() throws {
        let table = try ExecutionCases(families: Set(OperationFamily.allCases))
        #expect(Set(table.reasons.map(\.reason)) == Set(DenialReason.allCases.map(\.rawValue)))
        for (word, denialClass, isRetryable) in table.reasons {
            let reason = try #require(DenialReason(rawValue: word))
            #expect(reason.denialClass.rawValue == denialClass, "\(word)")
            #expect(reason.isRetryable == isRetryable, "\(word)")
        }
        #expect(Set(table.cases.map(\.operation.type)) == Set(OperationType.allCases))
    }

    @Test(
        "every operation × delivery × condition comes out as the table says; a handler round the gate does not"
    )
    func matrix() async throws {
        let table = try ExecutionCases(families: Self.families)
        let http = CurlClient(userAgent: "ContractTests")
        try await SandboxProcess.with(http) { sandbox in
            try await TestDatabase.with(poolSize: 8) { database in
                let host = try await VirtualHost.make()
                do {
                    try await Self.play(table.cases, database, host, sandbox, http)
                } catch {
                    await host.remove()
                    throw error
                }
                await host.remove()
            }
        }
        await http.close()
        print("contract matrix: \(table.cases.count) cases")
    }

    private static func play(
        _ cases: [ExecutionCase], _ database: TestDatabase, _ host: VirtualHost, _ sandbox: SandboxProcess,
        _ http: CurlClient
    ) async throws {
        let pool = database.pool
        let address = try BrokerAddress(url: host.url)
        let places = try await CasePlaces(count: cases.count, in: pool, sandbox)
        let publisher = Publisher(
            address: address, topology: JobTopology.starter, name: "contract", logger: TestDatabase.quiet)
        let relay = OutboxRelay(
            store: OutboxStore(pool: pool, leaseSeconds: 60), publisher: publisher, routes: [],
            logger: TestDatabase.quiet)
        let tasks = [Task { await publisher.run() }, Task { await relay.run() }]
        let environment = [
            "DATABASE_URL": database.url, "AMQP_URL": host.url,
            "CREDENTIAL_PRIVATE_KEY": places.privateKey.text, "GRAPH_SANDBOX_URL": sandbox.base,
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0", "CALL_SECONDS": "20", "WRITES_PER_SECOND": "1000",
            "LOG_LEVEL": "error",
        ]
        let preparing = try ServiceProcesses([.inventory], environment: environment)
        let preparation = try await preparing.stopped {
            try await CasePreparation(for: cases, at: places.places, pool, relay)
        }
        try await sandbox.control("DELETE", "/journal")
        let runs = CaseRuns(pool: pool, address: address, relay: relay, parameters: preparation.parameters)
        let all = try await runs.start(cases, at: places.places)

        // The ways of delivery; what is delivered again first, so that nothing else is.
        try await runs.delay(all.filter { $0.row.delivery == .delayedRetry })
        let again = all.filter { $0.row.delivery == .redelivery }
        try await runs.publish(again)
        #expect(try await runs.loseConsumers(of: families) == again.count)
        let conditions = CaseConditions(pool: pool)
        try await conditions.allowUnknownWords()
        for (condition, affected) in Dictionary(grouping: all, by: \.row.condition) {
            try await conditions.apply(condition, to: affected.map(\.run))
        }
        try await runs.publish(all.filter { [.first, .manualRetry].contains($0.row.delivery) })

        let services = try ServiceProcesses(families, environment: environment)
        try await services.stopped { try await settle(all, pool) }
        for task in tasks.reversed() {
            task.cancel()
            await task.value
        }
        for family in families {
            // The broker counts what was settled last a moment later.
            _ = try await eventually("the broker holds nothing for consumers of \(family.rawValue)") {
                try await host.messages(in: JobTopology.queue(of: family)).held == 0 ? true : nil
            }
        }
        let found = try await CaseFindings(of: all, pool, address, sandbox).differences(from: all)
        #expect(found.isEmpty, "\(found.count) differences: \(found.prefix(40).joined(separator: "\n"))")

        // The control: what a handler does that was wired round the gate.
        let blocked = Array(all.filter { $0.row.expectation.outcome == "blocked" }.prefix(3))
        for started in blocked { try await callWithoutLeave(started.place, sandbox, http) }
        let red = try await CaseFindings(of: all, pool, address, sandbox).differences(from: all)
        #expect(red == blocked.map { "\($0.row): the provider is called is true, not false" })
    }

    /// Waits until every run is decided, and everybody was told who is to be.
    private static func settle(
        _ all: [CaseRuns.Started], _ pool: PostgresPool
    ) async throws {
        let told = all.count { $0.row.expectation.told == "initiator" }
        let parameters: [Parameter] = [
            .uuids(all.map(\.run.uuid)), .ints(all.map(\.attempt)),
        ]
        _ = try await eventually("every run is decided", within: .seconds(240)) {
            let row = try await pool.query(
                """
                SELECT count(*) FILTER (WHERE r.state <> 'completed' AND r.attempt = c.attempt),
                       (SELECT count(*) FROM notifications)
                FROM runs r JOIN unnest($1::uuid[], $2::int[]) AS c (id, attempt) ON c.id = r.id
                """, parameters)[0]
            return try row.int(0) == 0 && row.int(1) >= told ? true : nil
        }
    }

    /// Asks the provider for something, past everything that is there to prevent it.
    private static func callWithoutLeave(
        _ place: CasePlaces.Place, _ sandbox: SandboxProcess, _ http: CurlClient
    ) async throws {
        let form =
            "grant_type=client_credentials&client_id=\(place.clientID)&client_secret=\(CasePlaces.secret)&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
        _ = try await http.perform(
            HTTPRequest(
                method: "POST", url: "\(sandbox.base)/\(place.entraTenant)/oauth2/v2.0/token",
                headers: [("Content-Type", "application/x-www-form-urlencoded")], body: [UInt8](form.utf8)))
    }
}
