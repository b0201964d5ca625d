/// Which devices a tenant has, in which order they are listed, and what was changed on them.
///
/// Nothing is stored for a device that was never touched: base devices are the ordinals `0..<baseCount`, each
/// at a sort key that follows from its ordinal. Only removed, moved and added devices take memory. Listing
/// goes by sort key, as Intune's goes by name and id: so a row that is inserted or renamed before a reader's
/// position is missed by it, and one that is renamed to behind it is seen twice.
struct DeviceRoster: Sendable {
    /// What PATCH may change on a device.
    struct Edit: Sendable, Hashable {
        var managedDeviceName: String?
        var notes: String?
        var ownerType: String?
        /// How often the device was renamed: its name follows from it.
        var renames = 0
        var syncs = 0
    }

    struct Entry: Sendable, Hashable {
        let key: UInt64
        let ordinal: Int
    }

    /// Added devices are numbered from here, above everything that `baseCount` can reach.
    private static let firstAddedOrdinal = 1 << 24
    /// Room between two base devices' keys, for rows that are inserted there.
    private static let keySpacing: UInt64 = 1 << 24

    private(set) var baseCount: Int
    /// Base ordinals that are gone from their base position: removed, or moved to `placed`.
    private var absent: Set<Int> = []
    /// Added and moved devices, ascending by key.
    private var placed: [Entry] = []
    private var edits: [Int: Edit] = [:]
    private var added = 0
    /// Counts the changes, so that each draws other random places than the one before.
    private var changes: UInt64 = 0

    init(count: Int) { baseCount = count }

    var count: Int { baseCount - absent.count + placed.count }

    /// The sort key behind which a page starts when nothing was read yet.
    static let beginning: UInt64 = 0

    func edit(of ordinal: Int) -> Edit? { edits[ordinal] }

    func contains(_ ordinal: Int) -> Bool {
        if ordinal < baseCount, ordinal >= 0, !absent.contains(ordinal) { return true }
        return placed.contains { $0.ordinal == ordinal }
    }

    /// Calls `body` with each device behind `key` in listing order until it returns false.
    func forEach(after key: UInt64, _ body: (Entry) -> Bool) {
        var base = Int(min(key / Self.keySpacing, UInt64(baseCount)))
        var next = firstPlaced(after: key)
        while true {
            while base < baseCount, absent.contains(base) { base += 1 }
            let baseKey = base < baseCount ? Self.baseKey(base) : nil
            let entry: Entry
            if next < placed.count, placed[next].key < baseKey ?? .max {
                entry = placed[next]
                next += 1
            } else if let baseKey {
                entry = Entry(key: baseKey, ordinal: base)
                base += 1
            } else {
                return
            }
            guard body(entry) else { return }
        }
    }

    /// Sets how many base devices there are (new ones appear at the end of the base range).
    mutating func resize(to count: Int) {
        placed.removeAll { $0.ordinal < Self.firstAddedOrdinal && $0.ordinal >= count }
        absent = absent.filter { $0 < count }
        baseCount = count
    }

    /// Changes one device's edits; false when the device isn't there.
    mutating func edit(_ ordinal: Int, _ change: (inout Edit) -> Void) -> Bool {
        guard contains(ordinal) else { return false }
        change(&edits[ordinal, default: Edit()])
        return true
    }

    /// Removes a device; false when it isn't there.
    mutating func remove(_ ordinal: Int) -> Bool {
        guard contains(ordinal) else { return false }
        lift(ordinal)
        edits[ordinal] = nil
        return true
    }

    /// Inserts, deletes and renames this many devices at random places.
    ///
    /// - Parameter cursor: a reader's position. The changes then fall on both sides of it in turn: rows that
    /// it has
    ///   read move behind it (it will see them twice), rows that it has not read move before it (it will
    ///   miss them).
    mutating func churn(_ churn: Churn, around cursor: UInt64?, draws: Draws) {
        for index in 0..<churn.delete {
            guard let entry = pick(draws, cursor, ahead: index % 2 == 0) else { continue }
            _ = remove(entry.ordinal)
        }
        var renamed: Set<Int> = []
        for index in 0..<churn.rename {
            let ahead = index % 2 == 0
            guard let entry = pick(draws, cursor, ahead: ahead, without: renamed) else { continue }
            renamed.insert(entry.ordinal)
            lift(entry.ordinal)
            place(entry.ordinal, key: freeKey(draws, cursor, ahead: !ahead))
            edits[entry.ordinal, default: Edit()].renames += 1
        }
        for index in 0..<churn.insert {
            place(Self.firstAddedOrdinal + added, key: freeKey(draws, cursor, ahead: index % 2 == 0))
            added += 1
        }
    }

    private static func baseKey(_ ordinal: Int) -> UInt64 { UInt64(ordinal + 1) * keySpacing }

    /// The key space that belongs to the side of `cursor`, both ends included.
    private func keys(_ cursor: UInt64?, ahead: Bool) -> ClosedRange<UInt64> {
        let end = Self.baseKey(max(baseCount, 1))
        guard let cursor else { return 1...end }
        // Never narrower than the room between two devices, so that a free key can always be found.
        return ahead
            ? (cursor + 1)...max(end, cursor + 1 + Self.keySpacing) : 1...max(Self.keySpacing, cursor)
    }

    /// A random device on one side of `cursor` that isn't in `taken`.
    private mutating func pick(
        _ draws: Draws, _ cursor: UInt64?, ahead: Bool, without taken: Set<Int> = []
    ) -> Entry? {
        changes += 1
        let range = keys(cursor, ahead: ahead)
        let start = range.lowerBound + draws.bits(changes) % (range.upperBound - range.lowerBound + 1)
        return first(in: start...range.upperBound, without: taken) ?? first(in: range, without: taken)
    }

    private func first(in range: ClosedRange<UInt64>, without taken: Set<Int>) -> Entry? {
        var found: Entry?
        forEach(after: range.lowerBound - 1) { entry in
            guard range.contains(entry.key) else { return false }
            guard !taken.contains(entry.ordinal) else { return true }
            found = entry
            return false
        }
        return found
    }

    private mutating func freeKey(_ draws: Draws, _ cursor: UInt64?, ahead: Bool) -> UInt64 {
        let range = keys(cursor, ahead: ahead)
        while true {
            changes += 1
            let key = range.lowerBound + draws.bits(changes) % (range.upperBound - range.lowerBound + 1)
            let index = firstPlaced(after: key - 1)
            let isPlaced = index < placed.count && placed[index].key == key
            if key % Self.keySpacing != 0, !isPlaced { return key }
        }
    }

    /// Takes a device out of the order.
    private mutating func lift(_ ordinal: Int) {
        if let index = placed.firstIndex(where: { $0.ordinal == ordinal }) {
            placed.remove(at: index)
        } else {
            absent.insert(ordinal)
        }
    }

    private mutating func place(_ ordinal: Int, key: UInt64) {
        placed.insert(Entry(key: key, ordinal: ordinal), at: firstPlaced(after: key))
    }

    /// The index in `placed` of the first entry whose key is above `key`.
    private func firstPlaced(after key: UInt64) -> Int {
        var low = 0
        var high = placed.count
        while low < high {
            let middle = (low + high) / 2
            if placed[middle].key <= key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// How many devices change at once.
struct Churn: Sendable, Hashable {
    var insert = 0
    var delete = 0
    var rename = 0

    /// The most changes of one kind in one go.
    static let limit = 10_000
}
