package import JSON

/// What a run did, in numbers: allowed keys only, never negative.
package struct SummaryCounts: Sendable, Hashable {
    /// The words a count may have. Every operation may report the general ones; the others are
    /// allowed by its catalogue entry.
    package enum Key: String, Sendable, CaseIterable {
        case total, applied, untouched, failed, skipped
        case inDoubt = "in_doubt"
        case created, updated, unchanged, changed, gone
        case toCreate = "to_create"
        case toUpdate = "to_update"
        case notRestorable = "not_restorable"
        case compliant, noncompliant, unknown, conflict, error, other
        case inGracePeriod = "in_grace_period"
        case configManager = "config_manager"

        /// What every operation may report.
        package static let general: Set<Key> = [.total, .applied, .untouched, .failed, .skipped, .inDoubt]
        /// What a restore would do, item by item: its preview counts these, and nothing else beside the total.
        package static let restorePreview: Set<Key> = [
            .toCreate, .toUpdate, .unchanged, .conflict, .notRestorable,
        ]
        /// Devices by compliance state: the provider's seven, and `other` for a state unknown to us.
        package static let compliance: Set<Key> = [
            .compliant, .noncompliant, .unknown, .conflict, .error, .inGracePeriod, .configManager, .other,
        ]
    }

    /// Why a set of counts was refused.
    package enum Refusal: Error, Hashable {
        case keyNotAllowed(String)
        case negative(String)
        case notWhole(String)
    }

    private var values: [Key: Int] = [:]

    /// No counts.
    package init() {}

    /// The count of `key`; 0 when nothing was counted. Setting a negative count is a programming error.
    package subscript(key: Key) -> Int {
        get { values[key] ?? 0 }
        set {
            precondition(newValue >= 0, "a count can't be negative")
            values[key] = newValue
        }
    }

    /// Whether nothing was counted.
    package var isEmpty: Bool { values.isEmpty }

    /// The counts as a JSON object in the order of ``Key``'s cases.
    package var json: JSON {
        .object(
            JSONObject(
                Key.allCases.compactMap { key in
                    values[key].map { (key.rawValue, .int($0)) }
                }))
    }

    /// Reads counts that came from a handler's report or the database, for an operation of `definition`.
    package init(json: JSON, for definition: OperationDefinition) throws(Refusal) {
        let allowed = Key.general.union(definition.countKeys)
        for (name, value) in json.object?.members ?? [] {
            guard let key = Key(rawValue: name), allowed.contains(key) else { throw .keyNotAllowed(name) }
            guard let count = value.integer else { throw .notWhole(name) }
            guard count >= 0 else { throw .negative(name) }
            values[key] = count
        }
    }

    /// The same counts without what the operation may not report. Used at the boundary to the database,
    /// so that a handler's slip can't put a foreign word on a page.
    package func allowed(for definition: OperationDefinition) -> SummaryCounts {
        let allowed = Key.general.union(definition.countKeys)
        var result = self
        result.values = values.filter { allowed.contains($0.key) }
        return result
    }
}
