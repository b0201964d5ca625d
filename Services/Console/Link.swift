import Operations

/// Where things are shown.
enum Link {
    static func run(_ id: RunID) -> String { "/admin/operations/\(id)" }
    static func connection(_ id: ConnectionID) -> String { "/admin/provider-connections/\(id)" }
    static func credential(_ id: ConnectionID) -> String { "\(connection(id))/credential" }
    static func tenant(_ id: TenantID) -> String { "/admin/tenants/\(id)" }
    static func person(_ id: UserID) -> String { "/admin/access/\(id)" }
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
