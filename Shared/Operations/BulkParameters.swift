package import JSON

/// The parameters of the bulk operations.
///
///     {"kind": "device_configuration", "filter": {"name_contains": "Wi-Fi"},
///      "assignment": {"target": "group", "group_id": "…"}}        policy.bulk_assign
///     {"kind": "device_script", "items": ["…", "…"]}              policy.bulk_delete
///     {"filter": {"operating_system": "Windows"}}                 device.bulk_sync
package struct BulkParameters: Sendable, Hashable {
    package let selection: BulkSelection
    /// What is added to each policy; nil but for `policy.bulk_assign`.
    package let assignment: BulkAssignment?
    /// As they are stored.
    package let json: JSON

    package init(_ json: JSON?, for type: OperationType) throws(RunParameters.Refusal) {
        var reading = ParameterReading(json)
        let selection = BulkSelection(&reading, ofPolicies: type != .deviceBulkSync)
        var assignment: BulkAssignment?
        if type == .policyBulkAssign {
            assignment = reading.object("assignment") { BulkAssignment(&$0) } ?? nil
            if reading.value("assignment") == nil { reading.note("/assignment", "is missing") }
        }
        try reading.finish()
        self.selection = selection
        self.assignment = assignment
        var stored: JSONObject = [:]
        if let kind = selection.kind { stored["kind"] = .string(kind.rawValue) }
        switch selection.choice {
        case .filter(let filter): stored["filter"] = filter
        case .items(let ids): stored["items"] = .array(ids.map(JSON.string))
        }
        if let assignment { stored["assignment"] = assignment.json }
        self.json = .object(stored)
    }
}

/// What a bulk operation is to change: policies of one kind, or devices, of the connection's inventory.
package struct BulkSelection: Sendable, Hashable {
    package enum Choice: Sendable, Hashable {
        /// All that meet every condition; `{"all": true}` is met by all.
        case filter(JSON)
        /// These, by the provider's ids: different ones, in order.
        case items([String])
    }

    /// The kinds that can be changed in bulk: policies that are assigned. Filters, scope tags and conditional access
    /// decide over others; they are changed one by one.
    package static let kinds: [PolicyKind] = [
        .deviceConfiguration, .compliancePolicy, .settingsCatalogPolicy, .deviceScript, .iosAppProtection,
        .androidAppProtection,
    ]
    /// The most items that are named one by one.
    package static let itemLimit = 500
    /// The longest id, in bytes.
    private static let idLimit = 512
    /// The longest text of a condition, in characters.
    package static let textLimit = 256

    /// Nil for devices.
    package let kind: PolicyKind?
    package let choice: Choice

    init(_ reading: inout ParameterReading, ofPolicies: Bool) {
        kind = ofPolicies ? Self.kind(&reading) : nil
        let filter = reading.object("filter") { Self.filter(&$0, ofPolicies: ofPolicies) }
        let items = Self.items(&reading)
        switch (filter, items) {
        case (let filter?, nil): choice = .filter(filter)
        case (nil, let items?): choice = .items(items)
        default:
            reading.note("", "must have one of the members filter and items")
            choice = .items([])
        }
    }

    private static func kind(_ reading: inout ParameterReading) -> PolicyKind? {
        let words = kinds.map(\.rawValue)
        let word = reading.value("kind")?.string
        if let word, words.contains(word) { return PolicyKind(rawValue: word) }
        reading.note("/kind", "must be one of \(words.joined(separator: ", "))")
        return nil
    }

    /// The conditions that a filter may have: a part of the name, and what the column of that name must be.
    package static func conditions(ofPolicies: Bool) -> [String] {
        ofPolicies
            ? ["name_contains", "type"]
            : ["name_contains", "operating_system", "compliance_state", "owner_type"]
    }

    private static func filter(_ reading: inout ParameterReading, ofPolicies: Bool) -> JSON {
        let names = conditions(ofPolicies: ofPolicies)
        var conditions: JSONObject = [:]
        if let all = reading.value("all") {
            if all != true { reading.note("/all", "must be true, or left out") }
            conditions["all"] = true
        }
        for name in names {
            guard let value = reading.value(name) else { continue }
            let isWell = value.string.map { (1...textLimit).contains($0.count) && !$0.utf8.contains(0) }
            if isWell != true { reading.note("/\(name)", "must be a text of 1 to \(textLimit) characters") }
            conditions[name] = value
        }
        if conditions.keys.isEmpty {
            reading.note("", "must have a condition (\(names.joined(separator: ", "))), or \"all\": true")
        }
        if conditions["all"] != nil, conditions.keys.count > 1 {
            reading.note("/all", "stands alone, or is left out")
        }
        return .object(conditions)
    }

    private static func items(_ reading: inout ParameterReading) -> [String]? {
        guard let value = reading.value("items") else { return nil }
        guard let elements = value.array, (1...itemLimit).contains(elements.count) else {
            reading.note("/items", "must be a list of 1 to \(itemLimit) ids")
            return []
        }
        var ids: Set<String> = []
        for (position, element) in elements.enumerated() {
            guard let id = element.string, (1...idLimit).contains(id.utf8.count), !id.utf8.contains(0) else {
                reading.note("/items/\(position)", "must be an id of 1 to \(idLimit) bytes")
                continue
            }
            if !ids.insert(id).inserted { reading.note("/items/\(position)", "stands there already") }
        }
        return ids.sorted()
    }
}

/// One assignment that is added to policies.
package struct BulkAssignment: Sendable, Hashable {
    package enum Target: String, Sendable, CaseIterable {
        case group
        case excludedGroup = "excluded_group"
        case allDevices = "all_devices"
        case allUsers = "all_users"

        /// Whether it names a group.
        package var isGroup: Bool { self == .group || self == .excludedGroup }
    }

    package enum FilterMode: String, Sendable, CaseIterable {
        case include, exclude
    }

    package let target: Target
    /// Set exactly when the target is a group.
    package let groupID: String?
    /// An assignment filter; not of an excluded group.
    package let filterID: String?
    package let filterMode: FilterMode?

    init?(_ reading: inout ParameterReading) {
        let target = Self.word(&reading, "target", Target.self)
        groupID = Self.id(&reading, "group_id")
        filterID = Self.id(&reading, "filter_id")
        filterMode = reading.value("filter_mode").flatMap { _ in
            Self.word(&reading, "filter_mode", FilterMode.self)
        }
        if (filterID == nil) != (reading.value("filter_mode") == nil) {
            reading.note("/filter_mode", "belongs to filter_id: both or none")
        }
        guard let target else { return nil }
        self.target = target
        if target.isGroup, reading.value("group_id") == nil { reading.note("/group_id", "is missing") }
        if !target.isGroup, groupID != nil { reading.note("/group_id", "belongs to a group only") }
        if target == .excludedGroup, filterID != nil {
            reading.note("/filter_id", "can't narrow an excluded group")
        }
    }

    private static func word<Word: RawRepresentable<String> & CaseIterable>(
        _ reading: inout ParameterReading, _ name: String, _: Word.Type
    ) -> Word? {
        if let word = reading.value(name)?.string.flatMap(Word.init) { return word }
        let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
        reading.note("/\(name)", "must be one of \(words)")
        return nil
    }

    private static func id(_ reading: inout ParameterReading, _ name: String) -> String? {
        guard let value = reading.value(name) else { return nil }
        guard let id = value.string.flatMap(Identifier<BulkAssignment>.init) else {
            reading.note("/\(name)", "must be a UUID")
            return nil
        }
        return "\(id)"
    }

    /// As it is stored.
    package var json: JSON {
        var object: JSONObject = ["target": .string(target.rawValue)]
        if let groupID { object["group_id"] = .string(groupID) }
        if let filterID { object["filter_id"] = .string(filterID) }
        if let filterMode { object["filter_mode"] = .string(filterMode.rawValue) }
        return .object(object)
    }
}
