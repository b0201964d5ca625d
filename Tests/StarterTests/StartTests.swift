import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import ServiceKit
import Store
import Testing

@testable import Starter

/// What the door answers to a start.
@Suite(.serialized)
struct StartTests {
    @Test func anAcceptedStartIsCommittedAndHandedOver() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            let reply = try await site.call(
                .post, "/v1/runs", token, checkBody(on: site.world.connection), headers: [.traceparent: trace]
            )
            #expect(reply.status == 202)
            let id = try #require(reply["run_id"]?.string)
            #expect(reply.headers[.location] == "/v1/runs/\(id)")
            #expect(reply["href"]?.string == "/v1/runs/\(id)")
            #expect(reply["state"]?.string == "queued")
            #expect(reply["duplicate"]?.bool == false)
            let row = try await site.pool.query(
                "SELECT id, initiator_id, traceparent, context->>'origin' AS origin FROM runs")[0]
            #expect(try row.uuid("id").uuidString.lowercased() == id)
            #expect(try row.uuid("initiator_id") == site.world.operator.uuid)
            #expect(try row.text("traceparent") == trace)
            #expect(try row.text("origin") == "person")
            #expect(site.published.all.map(\.messageID) == ["\(id):1"])
        }
    }

    @Test func aSystemAccountComesThroughTheUpstreamDoor() async throws {
        try await Site.with { site in
            _ = try await site.pool.query(
                "UPDATE users SET kind = 'system' WHERE id = $1::uuid", [.uuid(site.world.operator.uuid)])
            let token = try await site.token(for: site.world.operator)
            _ = try await site.start(token)
            let row = try await site.pool.query(
                "SELECT context->>'origin' AS origin, traceparent FROM runs")[0]
            #expect(try row.text("origin") == "upstream")
            #expect(TraceParent(try row.text("traceparent")) != nil)
        }
    }

    @Test func parametersAreChecked() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            func body(_ parameters: JSON) -> JSON {
                [
                    "operation": "backup.run", "provider_connection_id": .string("\(site.world.connection)"),
                    "parameters": parameters,
                ]
            }
            let wrong = try await site.call(
                .post, "/v1/runs", token, body(["kinds": ["scope_tag", "tag"], "all": true]))
            #expect(wrong.status == 422)
            #expect(wrong.pointers == ["/parameters/kinds/1", "/parameters/all"])
            let right = try await site.call(.post, "/v1/runs", token, body(["kinds": ["scope_tag"]]))
            #expect(right.status == 202)
            let run = try #require(right["run_id"]?.string)
            let shown = try await site.call(.get, "/v1/runs/\(run)", token)
            #expect(shown["parameters"] == ["kinds": ["scope_tag"]])
            let other = try await site.call(.post, "/v1/runs", token, body(.null))
            #expect(other.status == 409)
        }
    }

    @Test func theSameOperationIsADuplicateAndAnotherIsBusy() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let run = try await site.start(token)
            let again = try await site.call(.post, "/v1/runs", token, checkBody(on: site.world.connection))
            #expect(again.status == 200)
            #expect(again["run_id"]?.string == "\(run)")
            #expect(again["duplicate"]?.bool == true)
            let other = try await site.call(
                .post, "/v1/runs", token,
                [
                    "operation": "inventory.sync",
                    "provider_connection_id": .string("\(site.world.connection)"),
                ])
            #expect(other.status == 409)
            #expect(other["reason_code"]?.string == "busy")
            #expect(other["active_run"]?["run_id"]?.string == "\(run)")
            #expect(other["active_run"]?["operation"]?.string == "provider.connection.check")
            #expect(other["active_run"]?["href"]?.string == "/v1/runs/\(run)")
            #expect(site.published.all.count == 1)
        }
    }

    @Test func aThousandStartsAtOnceAreOneRun() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<1_000 {
                    group.addTask {
                        try await site.call(.post, "/v1/runs", token, checkBody(on: site.world.connection))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(replies.count { $0.status == 202 } == 1)
            #expect(replies.count { $0.status == 200 && $0["duplicate"]?.bool == true } == 999)
            #expect(Set(replies.compactMap { $0["run_id"]?.string }).count == 1)
            #expect(site.published.all.count == 1)
            #expect(try await site.pool.query("SELECT count(*) FROM runs")[0].int(0) == 1)
        }
    }

    @Test func theCallersKeyGivesTheSameRunEvenWhenItHasEnded() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let key: HTTPFields = [.idempotencyKey: "ticket 4711"]
            let body = checkBody(on: site.world.connection)
            let first = try await site.call(.post, "/v1/runs", token, body, headers: key)
            let run = try #require(first["run_id"]?.string)
            #expect(try await site.call(.post, "/v1/runs/\(run)/cancel", token).status == 202)
            let again = try await site.call(.post, "/v1/runs", token, body, headers: key)
            #expect(again.status == 200)
            #expect(again["run_id"]?.string == run)
            #expect(again["state"]?.string == "completed")

            let reused = try await site.call(
                .post, "/v1/runs", token, checkBody(on: site.world.connections[1]), headers: key)
            #expect(reused.status == 409)
            #expect(reused["reason_code"]?.string == "idempotency_key_reused")
            #expect(reused["run_id"]?.string == run)

            let other = try await site.token(for: site.world.owner)
            #expect(try await site.call(.post, "/v1/runs", other, body, headers: key).status == 202)
        }
    }

    @Test(arguments: ["", "tab\there", "ünsafe", String(repeating: "k", count: 256)])
    func aKeyThatIsNotPrintableIsRefused(_ key: String) async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let reply = try await site.call(
                .post, "/v1/runs", token, checkBody(on: site.world.connection),
                headers: [.idempotencyKey: key])
            #expect(reply.status == 400)
            #expect(try await site.pool.query("SELECT count(*) FROM runs")[0].int(0) == 0)
        }
    }

    /// What has to be so for each reason that a start can be refused for, and an operation that it concerns.
    static let refusals: [(reason: DenialReason, operation: OperationType, setUp: Statement)] = [
        (.tenantArchived, .connectionCheck, "UPDATE tenants SET operability = 'archived'"),
        (.tenantSuspended, .connectionCheck, "UPDATE tenants SET operability = 'suspended'"),
        (.tenantSuspended, .connectionCheck, "UPDATE platform SET frozen = true"),
        (.tenantOnboarding, .connectionCheck, "UPDATE tenants SET operability = 'onboarding'"),
        (.connectionDisabled, .connectionCheck, "UPDATE provider_connections SET enabled = false"),
        (.credentialMissing, .connectionCheck, "TRUNCATE provider_credentials"),
        (.writeGateClosed, .restoreExecute, "UPDATE tenants SET write_gate_open = false"),
        (.writeGateStale, .restoreExecute, "UPDATE tenants SET write_gate_open = true"),
        (
            .writeGateStale, .restoreExecute,
            """
            UPDATE tenants SET write_gate_open = true, write_gate_healthy = true,
                write_gate_checked_at = now() - make_interval(secs => write_gate_limit_seconds + 5)
            """
        ),
        (
            .writeGateUnhealthy, .restoreExecute,
            "UPDATE tenants SET write_gate_open = true, write_gate_checked_at = now()"
        ),
    ]

    @Test func everyReasonThatAStartCanBeRefusedFor() async throws {
        for (reason, operation, setUp) in Self.refusals {
            try await Site.with { site in
                _ = try await site.pool.query(setUp)
                let reply = try await site.call(
                    .post, "/v1/runs", site.token(for: site.world.owner),
                    [
                        "operation": .string(operation.rawValue),
                        "provider_connection_id": .string("\(site.world.connection)"),
                        "parameters": sampleParameters(operation) ?? .null,
                    ])
                #expect(reply.status == 409)
                #expect(reply["reason_code"]?.string == reason.rawValue)
                #expect(reply["denial_class"]?.string == reason.denialClass.rawValue)
                #expect(reply["retryable"]?.bool == reason.isRetryable)
                let detail = try #require(reply["detail"]?.string)
                #expect(detail.contains(Presentation.sentence(.denial(reason))))
                #expect(detail.contains(Presentation.remedy(.denial(reason), isOver: true)))
                #expect(try await site.pool.query("SELECT count(*) FROM runs")[0].int(0) == 0)
            }
        }
    }

    @Test func anOperationThatIsUnknownOrNotDeployed() async throws {
        try await Site.with(families: [.provider]) { site in
            let token = try await site.token(for: site.world.owner)
            for (operation, code) in [
                ("coffee.make", "operation_unknown"), ("inventory.sync", "operation_unavailable"),
            ] {
                let reply = try await site.call(
                    .post, "/v1/runs", token,
                    [
                        "operation": .string(operation),
                        "provider_connection_id": .string("\(site.world.connection)"),
                    ])
                #expect(reply.status == 422)
                #expect(reply["reason_code"]?.string == code)
                #expect(reply.pointers == ["/operation"])
            }
        }
    }

    @Test func theWaitLimitIsTheRunsOwn() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            func body(_ seconds: Int) -> JSON {
                [
                    "operation": "provider.connection.check",
                    "provider_connection_id": .string("\(site.world.connection)"),
                    "wait_limit_seconds": .int(seconds),
                ]
            }
            for seconds in [0, -1, 86_401] {
                let reply = try await site.call(.post, "/v1/runs", token, body(seconds))
                #expect(reply.status == 422)
                #expect(reply.pointers == ["/wait_limit_seconds"])
            }
            #expect(try await site.call(.post, "/v1/runs", token, body(60)).status == 202)
            let wait = try await site.pool.query(
                "SELECT extract(epoch FROM expires_at - queued_at)::float8 FROM runs")[0].double(0)
            #expect(wait == 60)
        }
    }
}
