internal import Crypto
package import FoundationEssentials
package import Operations
internal import Postgres

/// A record of the audit, as it stands in the database.
package struct AuditEntry: Sendable, Hashable {
    package let id: Int
    /// Microseconds since 1970: exactly what is stored.
    let microseconds: Int
    /// An ``AuditAction``, or a word that this version does not know.
    package let action: String
    package let workspaceID: WorkspaceID
    package let tenantID: TenantID?
    package let actorID: UserID?
    package let runID: RunID?
    /// JSON, as it was written.
    package let details: String

    package var at: Date { Date(timeIntervalSince1970: Double(microseconds) / 1_000_000) }

    /// Reads the columns `id`, `microseconds`, `action`, `workspace_id`, `tenant_id`, `actor_id`, `run_id` and `details`.
    init(_ row: Row) throws {
        id = try row.int("id")
        microseconds = try row.int("microseconds")
        action = try row.text("action")
        workspaceID = WorkspaceID(try row.uuid("workspace_id"))
        tenantID = try row.uuidOrNil("tenant_id").map(TenantID.init)
        actorID = try row.uuidOrNil("actor_id").map(UserID.init)
        runID = try row.uuidOrNil("run_id").map(RunID.init)
        details = try row.text("details")
    }

    /// SHA-256 over all of it: the database's function `audit_digest` says the same, and neither takes the other's word.
    var digest: [UInt8] {
        let text = """
            \(id) \(microseconds) \(workspaceID) \(tenantID?.description ?? "-") \(actorID?.description ?? "-") \
            \(runID?.description ?? "-") \(action.utf8.count) \(action) \(details)
            """
        return Array(SHA256.hash(data: Array(text.utf8)))
    }
}
