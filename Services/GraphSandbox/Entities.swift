import JSON

/// Reads of the documents of one set.
struct Entities: Sendable {
    let graph: GraphCall
    let set: EntitySet
    let generator: EntityGenerator

    init(_ graph: GraphCall, _ set: EntitySet) {
        self.graph = graph
        self.set = set
        generator = EntityGenerator(seed: graph.sandbox.tenants.seed, tenant: graph.tenant)
    }

    func list() -> Answer {
        let shelf = shelfToList()
        return documents.list(isFiltered: set == .groups) {
            (options, position, limit) throws(QueryOptions.Failure) in
            let filter = try options.filter.map { text throws(QueryOptions.Failure) in try GroupFilter(text) }
            let now = SandboxClock.monotonicNanoseconds()
            // Only groups are filtered, and few enough to look at all of them.
            let found = shelf.listed(
                from: Int(position), limit: filter == nil ? limit : .max, now: now, generator)
            return found.filter { filter?.matches($0) ?? true }.prefix(limit).map { row($0, options) }
        }
    }

    /// The set's documents as lists show them; a first page counts as a listing.
    func shelfToList() -> EntityShelf {
        let shelf = graph.tenant.entities[set]
        guard shelf.isStale, graph.call.query["$skiptoken"] == nil else { return shelf }
        let now = SandboxClock.monotonicNanoseconds()
        let counted = graph.sandbox.tenants.update(graph.tenant.id) { [set] tenant in
            tenant.entities[set].beginListing(now: now)
            return tenant.entities[set]
        }
        return counted ?? shelf
    }

    func row(_ entity: Entity, _ options: QueryOptions) -> Documents.Row {
        Documents.Row(
            position: UInt64(entity.ordinal + 1),
            document: entity.properties(of: set, in: graph.version, isListed: true),
            expanded: expanded(entity, options.expand))
    }

    func get(_ id: String) -> Answer { find(id).map(answer) ?? graph.notFound(id) }

    /// The document with its id, whether or not lists show it already.
    func find(_ id: String) -> Entity? {
        generator.ordinal(set, of: id).flatMap { graph.tenant.entities[set].entity($0, generator) }
    }

    func answer(_ entity: Entity) -> Answer {
        documents.entity(entity.properties(of: set, in: graph.version, isListed: false)) {
            expanded(entity, $0)
        }
    }

    private func expanded(_ entity: Entity, _ expansions: [Expansion]) -> JSONObject {
        guard !expansions.isEmpty else { return [:] }
        let context = "\(graph.call.base)/\(graph.version.rawValue)/$metadata#\(set.context)"
        return entity.expanded(expansions, of: set, in: graph.version, context: context)
    }

    private var documents: Documents {
        let (set, version) = (set, graph.version)
        return Documents(
            graph: graph, type: set.model.name, context: set.context, properties: [],
            pageSize: set.pageSize, expandable: set.expandable,
            knows: { set.model.knows($0, in: version) })
    }

    // MARK: Parts

    func assignments(_ id: String) -> Answer {
        parts(id, "assignments", pageSize: QueryOptions.largestPage) { entity in
            entity.assignments.map { Entity.shown($0, in: graph.version) }
        }
    }

    func settings(_ id: String) -> Answer { parts(id, "settings", pageSize: 25, \.settings) }

    func protectedApps(_ id: String) -> Answer {
        parts(id, "apps", pageSize: QueryOptions.largestPage, \.apps)
    }

    private func parts(
        _ id: String, _ name: String, pageSize: Int, _ parts: (Entity) -> [JSONObject]
    ) -> Answer {
        guard let entity = find(id) else { return graph.notFound(id) }
        return Documents(
            graph: graph, type: name, context: "\(set.context)('\(entity.id)')/\(name)",
            properties: ["id", "settingInstance", "target", "source", "sourceId", "mobileAppIdentifier"],
            pageSize: pageSize
        ).list(parts(entity))
    }

    /// The plain text behind a mask.
    func plainText(_ id: String, secret: String) -> Answer {
        guard let plain = find(id)?.secrets[secret] else { return graph.notFound(id) }
        let body: JSON = [
            "@odata.context": .string("\(graph.call.base)/\(graph.version.rawValue)/$metadata#Edm.String"),
            "value": .string(plain),
        ]
        return graph.ok(body.bytes)
    }
}

/// The app protection policies of all platforms in one list, where each needs its `@odata.type`.
struct ManagedAppPolicies: Sendable {
    let graph: GraphCall
    private static let sets: [EntitySet] = [.iosManagedAppProtections, .androidManagedAppProtections]
    /// Room between two sets' positions.
    private static let spacing: UInt64 = 1 << 32

    func list() -> Answer {
        let shelves = Self.sets.map { (Entities(graph, $0), Entities(graph, $0).shelfToList()) }
        return documents.list { (options, position, limit) throws(QueryOptions.Failure) in
            var rows: [Documents.Row] = []
            for (index, (entities, shelf)) in shelves.enumerated() {
                let start = UInt64(index) * Self.spacing
                guard position < start + Self.spacing else { continue }
                let found = shelf.listed(
                    from: Int(position > start ? position - start : 0), limit: limit - rows.count,
                    now: SandboxClock.monotonicNanoseconds(), entities.generator)
                rows += found.map {
                    Documents.Row(
                        position: start + UInt64($0.ordinal + 1), document: typed($0, entities.set))
                }
            }
            return rows
        }
    }

    func get(_ id: String) -> Answer {
        for set in Self.sets {
            if let found = Entities(graph, set).find(id) { return documents.entity(typed(found, set)) }
        }
        return graph.notFound(id)
    }

    private func typed(_ entity: Entity, _ set: EntitySet) -> JSONObject {
        var document: JSONObject = ["@odata.type": .string("#microsoft.graph.\(set.model.name)")]
        for (name, value) in entity.properties(of: set, in: graph.version, isListed: true).members {
            document[name] = value
        }
        return document
    }

    private var documents: Documents {
        let version = graph.version
        return Documents(
            graph: graph, type: "managedAppPolicy", context: "deviceAppManagement/managedAppPolicies",
            properties: [], pageSize: QueryOptions.largestPage,
            knows: { name in Self.sets.contains { $0.model.knows(name, in: version) } })
    }
}

/// `POST /directoryObjects/getByIds`: returns those that exist, and is silent about the others.
struct DirectoryObjects: Sendable {
    let graph: GraphCall

    /// The most ids in one call.
    static let limit = 1_000

    func byIDs() -> Answer {
        guard let body = (try? JSON(parsing: graph.call.body))?.object, let ids = body["ids"]?.array,
            ids.count <= Self.limit, ids.allSatisfy({ GUID($0.string ?? "") != nil })
        else { return graph.badRequest("'ids' must be an array of at most \(Self.limit) GUIDs.") }
        let types = body["types"]?.array?.compactMap(\.string) ?? ["group"]
        let groups = Entities(graph, .groups)
        let found = types.contains("group") ? ids.compactMap { groups.find($0.string ?? "") } : []
        var seen: Set<String> = []
        let documents = found.filter { seen.insert($0.id).inserted }.map { group -> JSON in
            var document: JSONObject = ["@odata.type": "#microsoft.graph.group"]
            let properties = group.properties(of: .groups, in: graph.version, isListed: false)
            for (name, value) in properties.members { document[name] = value }
            return .object(document)
        }
        let context = "\(graph.call.base)/\(graph.version.rawValue)/$metadata#directoryObjects"
        return graph.ok(
            JSON.object(["@odata.context": .string(context), "value": .array(documents)]).bytes)
    }
}
