import Synchronization

/// All tenants of this sandbox. Readers get a copy and work without a lock.
final class Tenants: Sendable {
    /// The most tenants that may exist at a time.
    static let limit = 10_000

    let seed: UInt64
    private let table: Mutex<Table>

    private struct Table {
        var byID: [String: Tenant] = [:]
        var order: [String] = []
    }

    init(seed: UInt64, _ tenants: [Tenant]) {
        self.seed = seed
        var table = Table()
        for tenant in tenants {
            if table.byID.updateValue(tenant, forKey: tenant.id) == nil { table.order.append(tenant.id) }
        }
        self.table = Mutex(table)
    }

    /// All tenants in the order in which they were added.
    var all: [Tenant] { table.withLock { table in table.order.compactMap { table.byID[$0] } } }

    /// The tenant with this id (any letter case).
    subscript(id: String) -> Tenant? {
        let id = id.lowercased()
        return table.withLock { $0.byID[id] }
    }

    /// The tenant that `name` stands for in a login URL: its id, or its domain.
    func named(_ name: String) -> Tenant? {
        let name = name.lowercased()
        return table.withLock { table in
            table.byID[name] ?? table.byID.values.first { $0.domain.lowercased() == name }
        }
    }

    /// Whether any tenant has an app with this client id.
    func knowsApp(_ clientID: String) -> Bool {
        table.withLock { table in table.byID.values.contains { $0.app.clientID == clientID } }
    }

    /// Adds a tenant; false when the id is taken or the limit is reached.
    func add(_ tenant: Tenant) -> Bool {
        table.withLock { table in
            guard table.byID[tenant.id] == nil, table.order.count < Self.limit else { return false }
            table.byID[tenant.id] = tenant
            table.order.append(tenant.id)
            return true
        }
    }

    /// Changes the tenant in place and returns what `change` returned; nil when there is no such tenant.
    func update<Result: Sendable>(_ id: String, _ change: (inout Tenant) -> sending Result) -> Result? {
        let id = id.lowercased()
        return table.withLock { table in
            guard table.byID[id] != nil else { return nil }
            return change(&table.byID[id]!)
        }
    }

    /// Removes the tenant; false when there is none.
    func remove(_ id: String) -> Bool {
        let id = id.lowercased()
        return table.withLock { table in
            guard table.byID.removeValue(forKey: id) != nil else { return false }
            table.order.removeAll { $0 == id }
            return true
        }
    }
}
