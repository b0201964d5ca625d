package import JSON

/// One place at which two versions of a document differ.
package struct DocumentDifference: Sendable, Hashable {
    /// The names of members and elements that lead there, from the outside in; empty is the whole document.
    package let path: [String]
    /// What stands there in the earlier version; nil when it has no such place.
    package let before: JSON?
    /// What stands there in the later version; nil when it has no such place.
    package let after: JSON?

    package init(path: [String], before: JSON?, after: JSON?) {
        self.path = path
        self.before = before
        self.after = after
    }

    /// All places at which `later` differs from `earlier`, in the order of the documents. Places that are empty in both
    /// (absent or null) don't differ. Of lists, elements that both have are passed over; the others are told as the same one
    /// when something names it (``name(of:)``), else as removed and added.
    package static func all(from earlier: JSON, to later: JSON) -> [DocumentDifference] {
        var found: [DocumentDifference] = []
        compare(earlier, later, at: [], into: &found)
        return found
    }

    private static func compare(
        _ before: JSON?, _ after: JSON?, at path: [String], into found: inout [DocumentDifference]
    ) {
        let isEmpty = (before ?? .null).isNull && (after ?? .null).isNull
        guard !isEmpty, before != after else { return }
        switch (before, after) {
        case (.object(let before)?, .object(let after)?):
            let added = after.keys.filter { before[$0] == nil }
            for key in before.keys + added {
                compare(before[key], after[key], at: path + [key], into: &found)
            }
        case (.array(let before)?, .array(let after)?): compare(before, after, at: path, into: &found)
        default: found.append(DocumentDifference(path: path, before: before, after: after))
        }
    }

    private static func compare(
        _ before: [JSON], _ after: [JSON], at path: [String], into found: inout [DocumentDifference]
    ) {
        let (removed, added) = rest(of: before, and: after)
        guard !removed.isEmpty || !added.isEmpty else {
            // The same elements in another order.
            found.append(DocumentDifference(path: path, before: .array(before), after: .array(after)))
            return
        }
        var remaining = added
        for (position, element) in removed {
            let name = name(of: element)
            let partner = name.flatMap { name in remaining.firstIndex { Self.name(of: $0.element) == name } }
            let place = path + [name ?? "\(position + 1)"]
            if let partner {
                compare(element, remaining.remove(at: partner).element, at: place, into: &found)
            } else {
                found.append(DocumentDifference(path: place, before: element, after: nil))
            }
        }
        for (position, element) in remaining {
            let place = path + [name(of: element) ?? "\(position + 1)"]
            found.append(DocumentDifference(path: place, before: nil, after: element))
        }
    }

    /// The elements that only one of two lists has, with their positions. One that stands twice counts twice.
    private static func rest(
        of before: [JSON], and after: [JSON]
    ) -> (removed: [(position: Int, element: JSON)], added: [(position: Int, element: JSON)]) {
        var counts: [[UInt8]: Int] = [:]
        for element in after { counts[element.canonicalBytes, default: 0] += 1 }
        func takes(_ element: JSON) -> Bool {
            let key = element.canonicalBytes
            guard let count = counts[key], count > 0 else { return false }
            counts[key] = count - 1
            return true
        }
        let removed = before.enumerated().filter { !takes($0.element) }
        // What was not taken is left over; of equal ones it does not matter which.
        let added = after.enumerated().reversed().filter { takes($0.element) }.reversed()
        return (removed.map { ($0.offset, $0.element) }, added.map { ($0.offset, $0.element) })
    }

    /// What tells an element of a list from the others: an id, the definition of a setting, or whom an assignment is for.
    private static func name(of element: JSON) -> String? {
        let target = element["target"]
        return element["id"]?.string ?? element["settingDefinitionId"]?.string
            ?? element["settingInstance"]?["settingDefinitionId"]?.string
            ?? target?["groupId"]?.string ?? target?["@odata.type"]?.string
    }
}
