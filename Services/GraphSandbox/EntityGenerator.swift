import JSON

/// Computes a tenant's seeded documents from (seed, tenant, set, ordinal), and ids from ordinals.
struct EntityGenerator: Sendable {
    private let seed: UInt64
    private let text: String
    /// How many documents of each set are seeded: assignments point at them.
    private let shelves: EntityShelves

    init(seed: UInt64, tenant: Tenant) {
        self.seed = seed
        text = tenant.deviceSeed
        shelves = tenant.entities
    }

    private func draws(_ set: EntitySet) -> Draws { Draws(seed: seed, text: "\(text)|\(set.rawValue)") }

    func seeded(_ set: EntitySet) -> Int { shelves[set].seeded }

    /// The id: the ordinal is hidden in it reversibly, as in a device's. Scope tags have small numbers.
    func id(_ set: EntitySet, _ ordinal: Int) -> String {
        if set == .roleScopeTags {
            let number = ordinal < EntityShelf.firstCreated ? ordinal : ordinal - EntityShelf.firstCreated
            return String(ordinal < EntityShelf.firstCreated ? number : number + seeded(set))
        }
        let draws = draws(set)
        let guid = GUID(
            version4: draws.part(UInt64(ordinal)).bits(0),
            IDScramble.scrambled(UInt64(ordinal), key: draws.bits(1)))
        return set.isAppProtection ? "T_\(guid)" : guid.description
    }

    /// The ordinal that `id` would have; nil when no document of this tenant's set can have that id.
    func ordinal(_ set: EntitySet, of id: String) -> Int? {
        if set == .roleScopeTags {
            guard let number = Int(id), String(number) == id, number >= 0 else { return nil }
            return number < seeded(set) ? number : EntityShelf.firstCreated + number - seeded(set)
        }
        var text = Substring(id)
        if set.isAppProtection {
            guard text.lowercased().hasPrefix("t_") else { return nil }
            text = text.dropFirst(2)
        }
        guard let guid = GUID(text) else { return nil }
        let ordinal = IDScramble.unscrambled(guid.low, key: draws(set).bits(1))
        guard ordinal < 1 << 32, self.id(set, Int(ordinal)).lowercased() == id.lowercased() else {
            return nil
        }
        return Int(ordinal)
    }

    func entity(_ set: EntitySet, _ ordinal: Int) -> Entity {
        let draws = draws(set).part(UInt64(ordinal))
        var entity = EntitySeeds(set: set, ordinal: ordinal, draws: draws, generator: self).entity
        entity.assignments = seededAssignments(entity, set, draws)
        return entity
    }

    // MARK: Assignments

    /// What the seeded documents are assigned to, in turn: nobody, a group, a group without another, all
    /// devices through a filter, all users, a group that was deleted, two groups, and once more a group but
    /// through a policy set.
    private func seededAssignments(_ entity: Entity, _ set: EntitySet, _ draws: Draws) -> [JSONObject] {
        guard set.hasAssignments, set != .roleScopeTags else { return [] }
        let filter = filterID(for: AssignmentPlatform(entity, set))
        let targets: [AssignmentTarget] =
            switch entity.ordinal % 8 {
            case 1: [.group(group(draws, 0))]
            case 2: [.group(group(draws, 0)), .exclusion(group(draws, 1))]
            case 3: [.allDevices.filtered(filter, "include")]
            case 4: [.allLicensedUsers]
            case 5: [.group(draws.guid(900).description)]
            case 6: [.group(group(draws, 0)).filtered(filter, "exclude"), .group(group(draws, 1))]
            case 7: [.group(group(draws, 0))]
            default: []
            }
        let isFromPolicySet = entity.ordinal % 8 == 7
        return targets.enumerated().map { index, target in
            target.assignment(
                of: entity.id, set, index: index,
                policySet: isFromPolicySet ? draws.guid(901).description : nil)
        }
    }

    /// A seeded group, another for each `stream`; without seeded groups one that doesn't exist.
    private func group(_ draws: Draws, _ stream: Int) -> String {
        let count = seeded(.groups)
        guard count > 0 else { return draws.guid(UInt64(910 + stream)).description }
        return id(.groups, (draws.number(902, below: count) + stream) % count)
    }

    private func filterID(for platform: AssignmentPlatform?) -> String? {
        let ordinal = EntitySeeds.filters.firstIndex { AssignmentPlatform(text: $0.platform) == platform }
        guard let ordinal, ordinal < seeded(.assignmentFilters) else { return nil }
        return id(.assignmentFilters, ordinal)
    }
}
