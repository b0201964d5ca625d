import FoundationEssentials
import JSON
import Operations
import Store

/// What a run knows of objects besides the tenant itself: those of the backup set, and what has become of those that it
/// restored.
struct Known: Sendable {
    private struct Object: Hashable {
        let kind: PolicyKind
        let id: String
    }

    /// The set's items by the objects that they were.
    private let items: [Object: BackupItem]
    /// The objects of items that have another id now.
    private var restoredAs: [Object: String] = [:]
    /// Objects that items of this run have become, with the item's key.
    private var takenBy: [Object: String] = [:]
    /// What a preview would create: it is as good as there.
    private var promised: Set<Object> = []

    init(_ selection: Selection, _ rows: [Ledger.Recorded]) {
        items = Dictionary(
            selection.all.map { (Object(kind: $0.kind, id: $0.policyID), $0) }, uniquingKeysWith: { $1 })
        let chosen = Dictionary(
            selection.items.compactMap { item in item.stored.map { (item.key, $0) } },
            uniquingKeysWith: { $1 })
        for row in rows {
            if let item = chosen[row.item.key], let id = row.item.objectID { note(item, became: id) }
        }
    }

    /// An item of this run is this object.
    mutating func note(_ item: BackupItem, became id: String) {
        takenBy[Object(kind: item.kind, id: id)] = item.key
        restoredAs[Object(kind: item.kind, id: item.policyID)] = id
    }

    /// An item would be created by what a preview looks at.
    mutating func promise(_ item: BackupItem) {
        promised.insert(Object(kind: item.kind, id: item.policyID))
    }

    /// What the object that had this id in the backup is now called, where this run knows.
    func successor(of id: String, _ kind: PolicyKind) -> String? {
        let object = Object(kind: kind, id: id)
        return restoredAs[object] ?? (promised.contains(object) ? id : nil)
    }

    /// The set's item that had this id.
    func item(_ id: String, _ kind: PolicyKind) -> BackupItem? { items[Object(kind: kind, id: id)] }

    /// The listed objects that may be an item because of type and name. An object that is another item by its id is
    /// that one.
    func candidates(
        for item: BackupItem, named name: String, type: String?, in list: [LiveTenant.Listed]
    ) -> [LiveTenant.Listed] {
        guard !name.isEmpty else { return [] }
        return list.filter { listed in
            let object = Object(kind: item.kind, id: listed.id)
            return listed.name == name && (type == nil || listed.type == nil || listed.type == type)
                && items[object].map { $0.id == item.id } ?? true
                && takenBy[object].map { $0 == item.key } ?? true
        }
    }
}

extension BackupItem {
    /// Its key in the ledger.
    var key: String { id.uuidString.lowercased() }
}
