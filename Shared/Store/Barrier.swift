package import FoundationEssentials
package import Operations
internal import Postgres

/// When a change that takes authority away took hold.
package struct BarrierAnswer: Sendable, Hashable {
    /// A call that nobody can tell the end of: its holder did not close it before its deadline.
    package struct InDoubtCall: Sendable, Hashable {
        package let id: CallID
        package let runID: RunID
        package let call: String
        package let openedAt: Date
        package let deadline: Date
    }

    /// From then on no provider call begins under what was taken away.
    package let effectiveAt: Date
    /// From then on none is on the wire; nil when a call is in doubt.
    package let settledAt: Date?
    package let inDoubt: [InDoubtCall]
}

/// Waits for the calls that were on the wire when authority was taken away (H4).
struct Barrier {
    /// Which permits a change concerns: those that refer to what was changed.
    enum Permits: String {
        case all
        case ofWorkspace, ofTenant, ofConnection, ofUser, ofGrant
        /// Those of a grant, on one of the tenants that it covers.
        case ofGrantOnTenant
    }

    /// How often open permits are looked at while a change waits for them.
    private static let lookInterval = Duration.milliseconds(5)

    private static let open: Statement = """
        SELECT id, run_id, call, opened_at, deadline, deadline < clock_timestamp() AS is_past
        FROM call_permits
        WHERE closed_at IS NULL AND CASE $1
            WHEN 'ofWorkspace' THEN workspace_id = $2::uuid
            WHEN 'ofTenant' THEN tenant_id = $2::uuid
            WHEN 'ofConnection' THEN connection_id = $2::uuid
            WHEN 'ofUser' THEN user_id = $2::uuid
            WHEN 'ofGrant' THEN grant_id = $2::uuid
            WHEN 'ofGrantOnTenant' THEN grant_id = $2::uuid AND tenant_id = $3::uuid
            WHEN 'all' THEN true END
        """

    private static let now: Statement = "SELECT clock_timestamp() AS now"

    let pool: PostgresPool

    /// Waits until every permit that is open now has been closed or is past its deadline. Permits of the same
    /// scope may open meanwhile under other grants: they are not waited for.
    func settle(_ permits: Permits, _ id: UUID?, on tenant: TenantID? = nil) async throws -> BarrierAnswer {
        let parameters: [Parameter] = [
            .text(permits.rawValue), id.map { .uuid($0) } ?? .null, tenant.map { .uuid($0.uuid) } ?? .null,
        ]
        let first = try await pool.pipeline([(Self.now, []), (Self.open, parameters)])
        let effectiveAt = try first[0][0].date("now")
        var rows = first[1]
        let awaited = Set(try rows.map { try $0.uuid("id") })
        while true {
            let open = try rows.filter { awaited.contains(try $0.uuid("id")) }
            let inDoubt = try open.filter { try $0.bool("is_past") }
            if inDoubt.count == open.count {
                let calls = try inDoubt.map(Self.call)
                let now = try await pool.query(Self.now)[0].date("now")
                return BarrierAnswer(
                    effectiveAt: effectiveAt, settledAt: calls.isEmpty ? now : nil, inDoubt: calls)
            }
            try await Task.sleep(for: Self.lookInterval)
            rows = try await pool.query(Self.open, parameters)
        }
    }

    /// The answer where nothing is waited for.
    func settledNow() async throws -> BarrierAnswer {
        let now = try await pool.query(Self.now)[0].date("now")
        return BarrierAnswer(effectiveAt: now, settledAt: now, inDoubt: [])
    }

    private static func call(_ row: Row) throws -> BarrierAnswer.InDoubtCall {
        BarrierAnswer.InDoubtCall(
            id: CallID(try row.uuid("id")), runID: RunID(try row.uuid("run_id")), call: try row.text("call"),
            openedAt: try row.date("opened_at"), deadline: try row.date("deadline"))
    }
}
