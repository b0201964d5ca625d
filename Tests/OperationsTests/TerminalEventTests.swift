import FoundationEssentials
import JSON
import Operations
import SeededRandom
import Testing

/// The event that tells that a run ended, and who is told.
struct TerminalEventTests {
    static func event(
        _ type: OperationType = .restoreExecute, outcome: RunOutcome = .partiallySucceeded,
        reason: RunReason? = .failure(.conflict), system: Bool = false
    ) -> TerminalEvent {
        TerminalEvent(
            run: Sample.snapshot(type, state: .running, attempt: 3, system: system), outcome: outcome,
            reason: reason, counts: Sample.counts([.total: 5, .applied: 2, .failed: 3]),
            completedAt: Sample.now)
    }

    @Test(arguments: OperationType.allCases, RunOutcome.allCases)
    func `is read back as it was written`(type: OperationType, outcome: RunOutcome) {
        for reason in [nil, .denial(.runExpired), .failure(.throttled)] as [RunReason?] {
            for isSystem in [false, true] {
                let event = Self.event(type, outcome: outcome, reason: reason, system: isSystem)
                #expect(TerminalEvent(body: event.body) == event)
                #expect(event.body.count <= TerminalEvent.byteLimit)
                let ofPerson = NotificationPolicy.Audience.initiator(Sample.user)
                #expect(
                    NotificationPolicy.audience(of: event, schedule: nil) == (isSystem ? .nobody : ofPerson))
                let schedule = ScheduleID(Sample.run.uuid)
                let managers = NotificationPolicy.Audience.managersOnce(schedule, of: Sample.user)
                #expect(
                    NotificationPolicy.audience(of: event, schedule: schedule)
                        == (isSystem ? .nobody : outcome == .blocked ? managers : ofPerson))
                #expect(OutboxMessage.event(event).messageID == "\(Sample.run)")
            }
        }
    }

    @Test func `is a CloudEvent, and its body is this`() throws {
        let json = try JSON(parsing: Self.event().body)
        let id = "00000000-0000-4000-8000-000000000006"
        #expect(
            json
                == [
                    "specversion": "1.0", "id": .string(id), "source": "/tenantatlas/runs",
                    "type": "com.tenantatlas.run.completed.v1", "subject": .string(id),
                    "time": "2026-11-21T09:00:00.000000Z", "datacontenttype": "application/json",
                    "traceparent": .string(Sample.traceparent),
                    "data": [
                        "run_id": .string(id), "operation": "restore.execute",
                        "outcome": "partially_succeeded", "reason_code": "conflict",
                        "counts": ["total": 5, "applied": 2, "failed": 3],
                        "workspace_id": "00000000-0000-4000-8000-000000000001",
                        "tenant_id": "00000000-0000-4000-8000-000000000002",
                        "provider_connection_id": "00000000-0000-4000-8000-000000000003",
                        "initiator_id": "00000000-0000-4000-8000-000000000004", "attempt": 3,
                        "queued_at": "2026-11-21T08:50:00.000000Z",
                        "completed_at": "2026-11-21T09:00:00.000000Z",
                    ],
                ])
    }

    /// Members whose loss or damage makes it no event.
    @Test(arguments: [
        "run_id", "operation", "outcome", "counts", "workspace_id", "tenant_id", "provider_connection_id",
        "attempt", "queued_at", "completed_at",
    ])
    func `a damaged member makes it no event`(key: String) throws {
        for foreign: JSON? in [nil, true, "nonsense", 1.5] {
            // Counts that are no object count nothing; an operation may be a newer version's.
            if key == "counts", foreign != nil { continue }
            if key == "operation", foreign == "nonsense" { continue }
            var event = try #require(try JSON(parsing: Self.event().body).object)
            var data = try #require(event["data"]?.object)
            data[key] = foreign
            event["data"] = .object(data)
            #expect(TerminalEvent(body: JSON.object(event).bytes) == nil, "\(String(describing: foreign))")
        }
    }

    @Test func `counts that the operation may not have make it no event`() throws {
        for foreign: JSON in [["secret": 1], ["compliant": 1], ["total": -1], ["total": 1.5]] {
            var event = try #require(try JSON(parsing: Self.event().body).object)
            var data = try #require(event["data"]?.object)
            data["counts"] = foreign
            event["data"] = .object(data)
            #expect(TerminalEvent(body: JSON.object(event).bytes) == nil)
        }
    }

    @Test func `garbage, another type, another id and what is too large are no event`() throws {
        let body = Self.event().body
        var event = try #require(try JSON(parsing: body).object)
        event["type"] = "com.tenantatlas.run.completed.v2"
        #expect(TerminalEvent(body: JSON.object(event).bytes) == nil)
        event["type"] = .string(TerminalEvent.type)
        event["id"] = .string("\(Sample.activeRun)")
        #expect(TerminalEvent(body: JSON.object(event).bytes) == nil)
        for text in ["", "{}", "null", "[]", "garbage", #"{"type":"com.tenantatlas.run.completed.v1"}"#] {
            #expect(TerminalEvent(body: Array(text.utf8)) == nil)
        }
        let padding = [UInt8](repeating: 0x20, count: 16_384 - body.count)
        #expect(TerminalEvent(body: body + padding) != nil)
        #expect(TerminalEvent(body: body + padding + [0x20]) == nil)
    }

    @Test func `members of a newer version are passed over`() throws {
        var event = try #require(try JSON(parsing: Self.event().body).object)
        var data = try #require(event["data"]?.object)
        event["extension"] = "x"
        data["newer"] = [1]
        event["data"] = .object(data)
        #expect(TerminalEvent(body: JSON.object(event).bytes) == Self.event())
    }

    @Test func `fifty thousand damaged events name no run and no person that do not stand in them`() {
        var (random, seed) = SplitMix.announced(for: "terminal events")
        let whole = Self.event().body
        var accepted = 0
        for _ in 0..<50_000 {
            var body = whole
            for _ in 0..<Int.random(in: 1...2, using: &random) { random.mutate(&body) }
            guard let event = TerminalEvent(body: body) else { continue }
            accepted += 1
            let text = String(decoding: body, as: UTF8.self).lowercased()
            let person = event.initiatorID.map { text.contains("\"\($0)\"") } ?? true
            guard TerminalEvent(body: event.body) == event, person, text.contains("\"\(event.runID)\"") else {
                Issue.record("seed \(seed): \(text)")
                return
            }
        }
        #expect((2_000...40_000).contains(accepted))
    }
}
