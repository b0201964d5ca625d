/// Which documents of one set a tenant has. Seeded documents are computed from their ordinal; only changed,
/// created and removed ones take memory.
struct EntityShelf: Sendable {
    /// How lists lag behind a write: single reads never do.
    enum Lag: Sendable, Hashable {
        /// The next so many listings still show the state before the write.
        case listings(Int)
        /// Listings show the state before the write until then (CLOCK_MONOTONIC nanoseconds).
        case until(Int64)
    }

    /// What lists still show instead of a document.
    private struct Stale: Sendable {
        /// Nil: the document was not there.
        let before: Entity?
        var lag: Lag
    }

    /// Created documents are numbered from here, above every seeded one.
    static let firstCreated = 1 << 24

    let set: EntitySet
    let seeded: Int
    private(set) var created = 0
    /// Seeded ordinals that were removed.
    private var absent: Set<Int> = []
    /// Created and changed documents.
    private var stored: [Int: Entity] = [:]
    private var stale: [Int: Stale] = [:]

    init(set: EntitySet, seeded: Int) {
        self.set = set
        self.seeded = seeded
    }

    var count: Int { seeded - absent.count + stored.keys.count { $0 >= Self.firstCreated } }

    /// Whether a listing would have to be counted.
    var isStale: Bool { !stale.isEmpty }

    private func contains(_ ordinal: Int) -> Bool {
        ordinal < seeded ? ordinal >= 0 && !absent.contains(ordinal) : stored[ordinal] != nil
    }

    /// The document as it is now; nil when there is none.
    func entity(_ ordinal: Int, _ generator: EntityGenerator) -> Entity? {
        guard contains(ordinal) else { return nil }
        return stored[ordinal] ?? generator.entity(set, ordinal)
    }

    /// Up to `limit` documents with ordinals from `first` on, as lists show them now.
    func listed(from first: Int, limit: Int, now: Int64, _ generator: EntityGenerator) -> [Entity] {
        entities(from: first, limit: limit) { ordinal in
            if let stale = stale[ordinal], stale.lag.isOn(now) { return stale.before }
            return entity(ordinal, generator)
        }
    }

    /// All documents as they are now.
    func all(_ generator: EntityGenerator) -> [Entity] {
        entities(from: 0, limit: .max) { entity($0, generator) }
    }

    private func entities(from first: Int, limit: Int, _ entity: (Int) -> Entity?) -> [Entity] {
        var found: [Entity] = []
        var ordinal = first
        while found.count < limit {
            if ordinal >= seeded { ordinal = max(ordinal, Self.firstCreated) }
            guard ordinal < Self.firstCreated + created else { break }
            if let entity = entity(ordinal) { found.append(entity) }
            ordinal += 1
        }
        return found
    }

    /// Counts a listing, from its first page on.
    mutating func beginListing(now: Int64) {
        for (ordinal, entry) in stale {
            if case .listings(let rest) = entry.lag, rest > 0 {
                stale[ordinal]?.lag = .listings(rest - 1)
            } else if case .until(let end) = entry.lag, now < end {
                continue
            } else {
                stale[ordinal] = nil
            }
        }
    }

    /// The ordinal of the next created document.
    var nextOrdinal: Int { Self.firstCreated + created }

    /// Adds the document, whose ordinal is `nextOrdinal`.
    mutating func add(_ entity: Entity, lag: Lag?) {
        noteStale(entity.ordinal, before: nil, lag)
        stored[entity.ordinal] = entity
        created += 1
    }

    /// Puts a changed document in the place of `before`.
    mutating func replace(_ before: Entity, with entity: Entity, lag: Lag?) {
        noteStale(entity.ordinal, before: before, lag)
        stored[entity.ordinal] = entity
    }

    mutating func remove(_ entity: Entity, lag: Lag?) {
        noteStale(entity.ordinal, before: entity, lag)
        stored[entity.ordinal] = nil
        if entity.ordinal < seeded { absent.insert(entity.ordinal) }
    }

    /// A second write before lists caught up with the first leaves what they show, and starts the wait anew.
    private mutating func noteStale(_ ordinal: Int, before: Entity?, _ lag: Lag?) {
        guard let lag else { return }
        if stale[ordinal] == nil {
            stale[ordinal] = Stale(before: before, lag: lag)
        } else {
            stale[ordinal]?.lag = lag
        }
    }
}

extension EntityShelf.Lag {
    /// Whether lists still show the old state. Listings are counted where they begin.
    fileprivate func isOn(_ now: Int64) -> Bool {
        switch self {
        case .listings: true
        case .until(let end): now < end
        }
    }
}

/// The documents of all sets of a tenant.
struct EntityShelves: Sendable {
    private var bySet: [EntitySet: EntityShelf]
    /// Plain texts whose policies were changed or removed: their tokens stay good in this tenant.
    var formerSecrets: [String: String] = [:]
    /// Counts the writes, so that each draws other values than the one before.
    var writes = 0

    /// - Parameter counts: how many documents are seeded; the others by `EntitySet.defaultCount`.
    init(counts: [EntitySet: Int] = [:]) {
        bySet = Dictionary(
            uniqueKeysWithValues: EntitySet.allCases.map {
                ($0, EntityShelf(set: $0, seeded: counts[$0] ?? $0.defaultCount))
            })
    }

    subscript(set: EntitySet) -> EntityShelf {
        get { bySet[set]! }
        set { bySet[set] = newValue }
    }
}
