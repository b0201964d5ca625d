import Waiting
import Fixtures
import Foundation
import JSON
import Operations
import Postgres
import Store
import Testing

@Suite("Start service", .serialized)
struct StartServiceTests {
    @Test("run, job and audit are committed together, and the context holds what the gate compares")
    func together() async throws {
        try await Stand.with { stand in
            let answer = try await stand.starts.start(stand.request())
            guard case .accepted(let run, let message) = answer else { throw Unexpected(answer) }
            let id = run.execution.runID
            #expect(try await stand.row(id) == RunRow(state: "queued"))
            #expect(try await stand.actions(id) == ["run.queued"])
            #expect(message.runID == id)
            #expect(message.route == "jobs.provider")
            #expect(try JobMessage(body: message.body) == JobMessage(runID: id, attempt: 1))
            let rows = try await stand.pool.query(
                """
                SELECT o.id, o.body, o.due_at > clock_timestamp() AS leased, r.context->>'grant_id' = m.id::text AS is_grant
                FROM outbox o JOIN runs r ON r.id = o.run_id JOIN memberships m ON m.user_id = r.initiator_id
                """)
            #expect(rows.count == 1)
            #expect(try rows[0].int("id") == message.outboxID)
            #expect(try rows[0].bytes("body") == message.body)
            #expect(try rows[0].bool("leased"))
            #expect(try rows[0].bool("is_grant"))
        }
    }

    @Test("a failing insert leaves nothing, and does not touch the others of its batch")
    func nothing() async throws {
        try await Stand.with(tenants: 3) { stand in
            _ = try await stand.pool.query(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation'; END $$
                """)
            // The outbox is written last: by then the run, its key and its audit are in the transaction.
            _ = try await stand.pool.query(
                """
                CREATE TRIGGER refuse AFTER INSERT ON outbox FOR EACH ROW
                WHEN (convert_from(NEW.body, 'UTF8') LIKE '%00-bad%') EXECUTE FUNCTION refuse()
                """)
            var requests = (0..<3).map { stand.request(tenant: $0, key: "k\($0)") }
            requests[1].traceparent = "00-bad"
            let answers = await stand.startTogether(requests)
            #expect(throws: PostgresError.self) { try answers[1].get() }
            for index in [0, 2] {
                guard case .accepted = try answers[index].get() else { throw Unexpected(answers[index]) }
            }
            let counts = try await stand.pool.query(
                """
                SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM start_keys),
                       (SELECT count(*) FROM audit), (SELECT count(*) FROM outbox)
                """)[0]
            #expect(try (0..<4).map { try counts.int($0) } == [2, 2, 2, 2])
        }
    }

    @Test("of many starts on one connection in one batch exactly one is accepted")
    func oneConnection() async throws {
        try await Stand.with(tenants: 2) { stand in
            let requests =
                (0..<20).map { _ in stand.request() }
                + [stand.request(.complianceSnapshot), stand.request(tenant: 1)]
            let answers = try await stand.startTogether(requests).map { try $0.get() }
            let accepted = answers.compactMap(\.acceptedRun)
            #expect(accepted.count == 2)
            #expect(answers.compactMap(\.duplicateOf) == Array(repeating: accepted[0], count: 19))
            guard case .busy(let run, let operation) = answers[20] else { throw Unexpected(answers[20]) }
            #expect(run == accepted[0])
            #expect(operation == OperationType.connectionCheck.rawValue)
            #expect(answers[21].acceptedRun != nil)
            #expect(try await stand.count("SELECT count(*) FROM outbox") == 2)
        }
    }

    @Test("starts from two services at a time: one is accepted, the others name it")
    func twoServices() async throws {
        try await Stand.with(poolSize: 8) { stand in
            let services = [stand.starts, stand.starts]
            let answers = try await withThrowingTaskGroup { group in
                for index in 0..<60 {
                    group.addTask { try await services[index % 2].start(stand.request()) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.compactMap(\.acceptedRun).count == 1)
            #expect(answers.compactMap(\.duplicateOf).count == 59)
            #expect(Set(answers.compactMap(\.duplicateOf)) == Set(answers.compactMap(\.acceptedRun)))
        }
    }

    @Test("another start is a duplicate or finds the connection busy, and neither leaves a trace")
    func active() async throws {
        try await Stand.with { stand in
            let run = try await stand.start().execution.runID
            let same = try await stand.starts.start(stand.request())
            #expect(same.duplicateOf == run)
            let other = try await stand.starts.start(stand.request(.inventorySync))
            guard case .busy(run, operation: "provider.connection.check") = other else {
                throw Unexpected(other)
            }
            #expect(try await stand.count("SELECT count(*) FROM runs") == 1)
            #expect(try await stand.count("SELECT count(*) FROM outbox") == 1)
            #expect(try await stand.count("SELECT count(*) FROM audit") == 1)
        }
    }

    @Test("the same key gives the same run, for good; for something else it is reused")
    func keys() async throws {
        try await Stand.with(tenants: 2) { stand in
            let first = try await stand.starts.start(stand.request(key: "k"))
            guard let run = first.acceptedRun else { throw Unexpected(first) }
            _ = try await stand.pool.query(
                "UPDATE runs SET state = 'completed', outcome = 'failed', completed_at = now()")
            #expect(try await stand.starts.start(stand.request(key: "k")).duplicateOf == run)
            for changed in [stand.request(.complianceSnapshot, key: "k"), stand.request(tenant: 1, key: "k")]
            {
                let answer = try await stand.starts.start(changed)
                guard case .keyReused(run) = answer else { throw Unexpected(answer) }
            }
            // Another caller's key is another key.
            let other = try await stand.starts.start(stand.request(by: stand.world.owner, key: "k"))
            #expect(other.acceptedRun != nil && other.acceptedRun != run)
        }
    }

    @Test("parameters are a part of what is asked for, and go with every attempt")
    func parameters() async throws {
        let asked: JSON = ["kinds": ["scope_tag", "device_script"]]
        let stored: JSON = ["kinds": ["device_script", "scope_tag"]]
        func request(_ stand: Stand, _ parameters: JSON?, key: String? = nil, tenant: Int = 0) -> StartRequest
        {
            var request = stand.request(.backupRun, tenant: tenant, key: key)
            request.parameters = parameters
            return request
        }
        try await Stand.with(tenants: 2) { stand in
            let first = try await stand.starts.start(request(stand, asked, key: "k"))
            guard case .accepted(let run, _) = first else { throw Unexpected(first) }
            let id = run.execution.runID
            #expect(run.execution.parameters == stored)
            // The same in another order; nothing, and something else.
            #expect(try await stand.starts.start(request(stand, stored)).duplicateOf == id)
            for other in [nil, ["kinds": ["scope_tag"]]] as [JSON?] {
                let answer = try await stand.starts.start(request(stand, other))
                guard case .busy(id, _) = answer else { throw Unexpected(answer) }
                let keyed = try await stand.starts.start(request(stand, other, key: "k"))
                guard case .keyReused(id) = keyed else { throw Unexpected(keyed) }
            }
            // In one batch, where the first is not in the database yet.
            let together = await stand.startTogether([
                request(stand, asked, key: "l", tenant: 1), request(stand, stored, tenant: 1),
                request(stand, nil, tenant: 1), request(stand, nil, key: "l", tenant: 1),
            ])
            guard let second = try together[0].get().acceptedRun else { throw Unexpected(together[0]) }
            #expect(try together[1].get().duplicateOf == second)
            guard case .busy(second, _) = try together[2].get() else { throw Unexpected(together[2]) }
            guard case .keyReused(second) = try together[3].get() else { throw Unexpected(together[3]) }

            let worker = try await stand.worker()
            let begun = try await stand.begin(run, by: worker, family: .inventory)
            #expect(begun.permit.execution.parameters?.canonicalBytes == stored.canonicalBytes)
            #expect(
                try await RunReading(pool: stand.pool).run(id)?.parameters?.canonicalBytes
                    == stored.canonicalBytes)
        }
    }

    @Test("the same key several times in one batch: one run, also on different connections")
    func keysTogether() async throws {
        try await Stand.with(tenants: 2) { stand in
            let answers = try await stand.startTogether([
                stand.request(key: "k"), stand.request(key: "k"), stand.request(tenant: 1, key: "k"),
                stand.request(.complianceSnapshot, key: "k"), stand.request(tenant: 1, key: "l"),
            ]).map { try $0.get() }
            guard let run = answers[0].acceptedRun else { throw Unexpected(answers[0]) }
            #expect(answers[1].duplicateOf == run)
            for answer in answers[2...3] {
                guard case .keyReused(run) = answer else { throw Unexpected(answer) }
            }
            #expect(answers[4].acceptedRun != nil)
            #expect(try await stand.count("SELECT count(*) FROM start_keys") == 2)
        }
    }

    @Test(
        "the same key through two services at one moment, on two connections: one run, the other learns of it"
    )
    func keysAtOnce() async throws {
        try await Stand.with(tenants: 2, poolSize: 6) { stand in
            // Holds both back behind the connections' locks until both have looked for the key.
            let answers = try await stand.pool.transaction { holder in
                _ = try await holder.query("LOCK TABLE start_keys IN SHARE MODE")
                let both = (0..<2).map { tenant in
                    let (starts, request) = (stand.starts, stand.request(tenant: tenant, key: "k"))
                    return Task { try await starts.start(request) }
                }
                try await eventually("both are about to write the key") {
                    try await stand.waiting(forLock: "relation") == 2 ? () : nil
                }
                return both
            }
            var words: [String] = []
            for answer in answers {
                switch try await answer.value {
                case .accepted: words.append("accepted")
                case .keyReused: words.append("reused")
                case let other: throw Unexpected(other)
                }
            }
            #expect(words.sorted() == ["accepted", "reused"])
            #expect(try await stand.count("SELECT count(*) FROM runs") == 1)
        }
    }

    @Test("a key without a person behind it is the system's own, and a schedule's keys are its own")
    func systemKeys() async throws {
        try await Stand.with(tenants: 3) { stand in
            func request(_ tenant: Int, _ schedule: ScheduleID?) -> StartRequest {
                StartRequest(
                    operation: "provider.connection.check", connectionID: stand.world.connections[tenant],
                    initiatorID: nil, origin: .schedule, idempotencyKey: "k", scheduleID: schedule)
            }
            let first = try await stand.starts.start(request(0, nil))
            guard let run = first.acceptedRun else { throw Unexpected(first) }
            #expect(try await stand.starts.start(request(0, nil)).duplicateOf == run)
            for schedule in [ScheduleID(UUID()), ScheduleID(UUID())] {
                let tenant = try await stand.count("SELECT count(*) FROM runs")
                #expect(try await stand.starts.start(request(tenant, schedule)).acceptedRun != nil)
            }
            #expect(try await stand.count("SELECT count(*) FROM start_keys WHERE key = 'k'") == 3)
        }
    }

    @Test("refusals at the door leave nothing")
    func refusals() async throws {
        try await Stand.with { stand in
            let world = stand.world
            let other = try await World.make(in: stand.pool)
            var unknown = stand.request()
            unknown.operation = "nothing.we.know"
            var absent = stand.request()
            absent.connectionID = ConnectionID(UUID())
            var foreign = stand.request()
            foreign.connectionID = other.connection
            var endless = stand.request()
            endless.waitLimitSeconds = 86_401
            let cases: [(StartRequest, StartRefusal)] = [
                (unknown, .operationUnknown), (absent, .notFound), (foreign, .notFound),
                (endless, .waitLimitInvalid(allowed: 1...86_400)),
                (stand.request(by: world.stranger), .notFound),
                (stand.request(by: world.people[.readonly]!), .forbidden(.providerRun)),
                (stand.request(.restoreExecute, by: world.owner), .denied(.writeGateClosed)),
            ]
            let answers = try await stand.startTogether(cases.map(\.0)).map { try $0.get() }
            for (answer, (_, expected)) in zip(answers, cases) {
                guard case .refused(let refusal) = answer else { throw Unexpected(answer) }
                #expect(refusal == expected)
            }
            #expect(try await stand.count("SELECT count(*) FROM runs") == 0)
            #expect(try await stand.count("SELECT count(*) FROM audit") == 0)
        }
    }
}

extension Stand {
    /// Starts requests in their order so that they share a batch: they arrive while one flush is under way.
    fileprivate func startTogether(
        _ requests: [StartRequest]
    ) async -> [Result<StartService.Answer, any Error>] {
        let service = starts
        let nothing = StartRequest(
            operation: "", connectionID: world.connection, initiatorID: nil, origin: .person)
        let lead = Task.immediate { try await service.start(nothing) }
        let tasks = requests.map { request in Task.immediate { try await service.start(request) } }
        _ = await lead.result
        var results: [Result<StartService.Answer, any Error>] = []
        for task in tasks { results.append(await task.result) }
        return results
    }
}

extension StartService.Answer {
    fileprivate var acceptedRun: RunID? {
        if case .accepted(let run, _) = self { run.execution.runID } else { nil }
    }

    fileprivate var duplicateOf: RunID? {
        if case .duplicate(let run) = self { run } else { nil }
    }
}
