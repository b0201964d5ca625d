import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Starter

/// Schedules: making, showing, switching, removing.
@Suite(.serialized)
struct ScheduleTests {
    static func body(
        on connection: ConnectionID, _ operation: String = "backup.run", cron: String = "30 2 * * *",
        zone: String = "Europe/Zurich", as authority: String = "me", asking parameters: JSON = .null
    ) -> JSON {
        [
            "operation": .string(operation), "provider_connection_id": .string("\(connection)"),
            "cron": .string(cron), "time_zone": .string(zone), "run_as": .string(authority),
            "parameters": parameters,
        ]
    }

    @Test func aScheduleIsShownAsItStands() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let body = Self.body(on: site.world.connection)
            let made = try await site.call(.post, "/v1/schedules", token, body)
            #expect(made.status == 201, "\(made.text)")
            let id = try #require(made["schedule_id"]?.string)
            #expect(made.headers[.location] == "/v1/schedules/\(id)")
            let shown = try await site.call(.get, "/v1/schedules/\(id)", token)
            #expect(shown.status == 200)
            #expect(shown["label"]?.string == "Backup")
            #expect(shown["words"]?.string == "every day at 02:30 (Europe/Zurich)")
            #expect(shown["cron"]?.string == "30 2 * * *")
            #expect(shown["enabled"]?.bool == true)
            #expect(shown["run_as"]?.string == "person")
            #expect(shown["person"]?["name"]?.string == "operator")
            #expect(shown["tenant"]?["name"]?.string == "Tenant 1")
            #expect(shown["last_run"]?.isNull == true)
            #expect(shown["eligible_now"]?.bool == true)
            #expect(shown["obstacle"] == nil)
            let next = try #require(shown["next_due_at"].flatMap(Timestamp.init(json:))?.date)
            let cadence = Cadence(
                try CronExpression("30 2 * * *"), in: try #require(ScheduleZone("Europe/Zurich")))
            #expect(next == cadence.next(after: Date()))

            // Made again, it is the same; with another zone, another.
            let again = try await site.call(.post, "/v1/schedules", token, body)
            #expect(again.status == 200)
            #expect(again["schedule_id"]?.string == id)
            let other = try await site.call(
                .post, "/v1/schedules", token, Self.body(on: site.world.connection, zone: "UTC"))
            #expect(other.status == 201)
            let narrow: JSON = ["kinds": ["scope_tag"]]
            let less = Self.body(on: site.world.connection, asking: narrow)
            #expect(try await site.call(.post, "/v1/schedules", token, less).status == 201)
            let repeated = try await site.call(.post, "/v1/schedules", token, less)
            #expect(repeated.status == 200, "with the same parameters it is the same")
            #expect(repeated["parameters"] == narrow)
            #expect(repeated["schedule_id"]?.string != id)

            // What became of the person shows.
            _ = try await site.pool.query(
                "UPDATE tenants SET operability = 'suspended' WHERE id = $1::uuid",
                [.uuid(site.world.tenant.uuid)])
            let barred = try await site.call(.get, "/v1/schedules/\(id)", token)
            #expect(barred["eligible_now"]?.bool == false)
            #expect(barred["obstacle"]?["code"]?.string == "tenant_suspended")
        }
    }

    @Test func whatIsNotASchedule() async throws {
        try await Site.with(families: [.provider, .inventory, .bulk]) { site in
            let token = try await site.token(for: site.world.owner)
            let connection = site.world.connection
            let cases: [(JSON, [String])] = [
                (Self.body(on: connection, "tea.make"), ["/operation"]),
                (Self.body(on: connection, "restore.execute"), ["/operation"]),
                (Self.body(on: connection, cron: "61 * * * *"), ["/cron"]),
                (Self.body(on: connection, cron: "0 0 30 2 *", zone: "PST"), ["/cron", "/time_zone"]),
                (Self.body(on: connection, zone: "Mars/Olympus"), ["/time_zone"]),
                (Self.body(on: connection, "device.bulk_sync", as: "system"), ["/run_as"]),
                (Self.body(on: connection, as: "omar"), ["/run_as"]),
                (Self.body(on: connection, "device.bulk_sync"), ["/parameters"]),
                (Self.body(on: connection, asking: ["kinds": ["tea"]]), ["/parameters/kinds/0"]),
            ]
            for (body, pointers) in cases {
                let reply = try await site.call(.post, "/v1/schedules", token, body)
                #expect(reply.status == 422)
                #expect(reply.pointers == pointers, "\(reply.text)")
            }
            #expect(try await site.pool.query("SELECT FROM schedules").isEmpty)
            // What changes a tenant may be started again and again by a person.
            let write = try await site.call(
                .post, "/v1/schedules", token,
                Self.body(on: connection, "device.bulk_sync", asking: sampleParameters(.deviceBulkSync)!))
            #expect(write.status == 201)
        }
    }

    @Test func aTenantHasOnlySoMany() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            _ = try await site.pool.query(
                """
                INSERT INTO schedules (id, workspace_id, tenant_id, connection_id, operation, cron, time_zone,
                                       enabled, created_by)
                SELECT gen_random_uuid(), c.workspace_id, c.tenant_id, c.id, 'backup.run', n || ' 1 * * *',
                       'UTC', false, $2::uuid
                FROM provider_connections c, generate_series(1, $3::int) n WHERE c.id = $1::uuid
                """,
                [
                    .uuid(site.world.connection.uuid), .uuid(site.world.owner.uuid),
                    .int(Schedules.tenantLimit),
                ])
            let reply = try await site.call(
                .post, "/v1/schedules", token, Self.body(on: site.world.connection))
            #expect(reply.status == 409)
            #expect(reply["reason_code"]?.string == "too_many_schedules")
            let elsewhere = try await site.call(
                .post, "/v1/schedules", token, Self.body(on: site.world.connections[1]))
            #expect(elsewhere.status == 201)

            // And they come in pages, each once.
            var (ids, path): ([String], String?) = ([], "/v1/schedules?limit=60")
            while let at = path {
                let page = try await site.call(.get, at, token)
                ids += page.ids("schedules", "schedule_id")
                path = page["next"]?.string.map { "/v1/schedules?limit=60&cursor=\($0)" }
            }
            #expect(ids.count == Schedules.tenantLimit + 1)
            #expect(Set(ids).count == ids.count)
            let one = try await site.call(
                .get, "/v1/schedules?tenant_id=\(site.world.tenants[1])", token)
            #expect(one.ids("schedules", "schedule_id").count == 1)
        }
    }

    @Test func switchingAndRemoving() async throws {
        try await Site.with { site in
            let people = site.world.people
            let own = try await site.token(for: site.world.operator)
            let manager = try await site.token(for: people[.manager]!)
            let body = Self.body(on: site.world.connection)
            let made = try await site.call(.post, "/v1/schedules", own, body)
            let path = "/v1/schedules/\(try #require(made["schedule_id"]?.string))"

            let paused = try await site.call(.post, path + "/pause", manager)
            #expect(paused.status == 200)
            #expect(paused["enabled"]?.bool == false)
            #expect(paused["next_due_at"]?.isNull == true)
            #expect(try await site.call(.post, path + "/pause", manager).status == 200)
            // It acts in the person's name: only the person can want that.
            let refused = try await site.call(.post, path + "/resume", manager)
            #expect(refused.status == 403)
            #expect(refused["reason_code"]?.string == "schedule_of_another_person")
            let resumed = try await site.call(.post, path + "/resume", own)
            #expect(resumed["enabled"]?.bool == true)
            #expect(resumed["next_due_at"]?.string != nil)

            // Lowered, the person may still stop it, and no longer start it.
            _ = try await site.pool.query(
                "UPDATE memberships SET role = 'readonly' WHERE user_id = $1::uuid",
                [.uuid(site.world.operator.uuid)])
            #expect(try await site.call(.post, path + "/pause", own).status == 200)
            #expect(try await site.call(.post, path + "/resume", own).status == 403)
            let reader = try await site.token(for: people[.readonly]!)
            #expect(try await site.call(.delete, path, reader).status == 403)
            #expect(try await site.call(.delete, path, own).status == 204)
            #expect(try await site.call(.get, path, own).status == 404)
            let actions = try await site.pool.query(
                "SELECT action, actor_id FROM audit WHERE action LIKE 'schedule.%' ORDER BY id"
            ).map { try $0.text("action") }
            #expect(
                actions == [
                    "schedule.created", "schedule.disabled", "schedule.enabled", "schedule.disabled",
                    "schedule.removed",
                ])
        }
    }

    @Test func whatItStartedIsShown() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let made = try await site.call(
                .post, "/v1/schedules", token, Self.body(on: site.world.connection, as: "system"))
            let id = try #require(made["schedule_id"]?.string)
            _ = try await site.pool.query(
                """
                UPDATE schedules SET next_due_at = clock_timestamp() - interval '1 second',
                                     look_at = clock_timestamp() - interval '1 second'
                """)
            let firings = ScheduleFirings(
                pool: site.pool, families: [.inventory], outboxLeaseSeconds: 10, makeID: timeOrderedID)
            let fired = try await firings.fire()
            let run = try #require(fired.messages.first?.runID)
            let shown = try await site.call(.get, "/v1/schedules/\(id)", token)
            #expect(shown["last_run"]?["run_id"]?.string == "\(run)")
            #expect(shown["last_run"]?["badge"]?["label"]?.string == "queued")
            #expect(shown["run_as"]?.string == "system")
            let page = try await site.call(.get, "/v1/runs/\(run)", token)
            #expect(page["schedule_id"]?.string == id)
            #expect(page["initiator"]?.isNull == true)
        }
    }
}
