import FoundationEssentials
import Operations

/// Where things are shown.
enum Link {
    static func run(_ id: RunID) -> String { "/admin/operations/\(id)" }
    static func connection(_ id: ConnectionID) -> String { "/admin/provider-connections/\(id)" }
    static func credential(_ id: ConnectionID) -> String { "\(connection(id))/credential" }
    static func tenant(_ id: TenantID) -> String { "/admin/tenants/\(id)" }
    static func schedule(_ id: ScheduleID) -> String { "/admin/schedules/\(id)" }
    static func person(_ id: UserID) -> String { "/admin/access/\(id)" }
    static func backup(_ id: RunID) -> String { "/admin/backups/\(id)" }
    static func restore(_ id: RunID) -> String { "\(backup(id))/restore" }
    static func backupItem(_ id: UUID, of set: RunID) -> String {
        "\(backup(set))/\(id.uuidString.lowercased())"
    }
    static func backups(of tenant: TenantID) -> String { "/admin/backups?tenant=\(tenant)" }
    /// What changed from one backup set to a later one.
    static func comparison(of earlier: RunID, with later: RunID) -> String {
        "/admin/backups/compare?set=\(earlier)&set=\(later)"
    }
    /// The runs that a query in the filter bar's words finds.
    static func operations(_ query: String) -> String { "/admin/operations?q=\(query.urlEncoded)" }

    /// A path of this site that a form named; nil for anything that leads elsewhere.
    static func local(_ path: String?) -> String? {
        guard let path, path.utf8.first == UInt8(ascii: "/"),
            path.utf8.dropFirst().first != UInt8(ascii: "/"),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
            path.utf8.count <= 2_000
        else { return nil }
        return path
    }
}
