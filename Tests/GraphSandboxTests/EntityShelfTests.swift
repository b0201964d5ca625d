import JSON
import Testing

@testable import GraphSandbox

@Suite struct EntityShelfTests {
    private static func tenant(_ counts: [EntitySet: Int] = [:], seed: String = "seed") -> Tenant {
        Tenant(
            id: "t", displayName: "", domain: "", intune: true,
            app: AppRegistration(clientID: "", clientSecret: "", roles: []), deviceSeed: seed,
            roster: DeviceRoster(count: 0), entities: EntityShelves(counts: counts))
    }

    private let generator = EntityGenerator(seed: 1, tenant: Self.tenant())

    private func shelf() -> EntityShelf { EntityShelf(set: .deviceConfigurations, seeded: 5) }

    private func listed(_ shelf: EntityShelf, now: Int64 = 0) -> [Int] {
        shelf.listed(from: 0, limit: 100, now: now, generator).map(\.ordinal)
    }

    private func new(_ shelf: EntityShelf) -> Entity {
        let id = generator.id(.deviceConfigurations, shelf.nextOrdinal)
        return Entity(ordinal: shelf.nextOrdinal, id: id, document: ["id": .string(id)])
    }

    @Test(arguments: EntitySet.allCases)
    func idsLeadBackToOrdinals(_ set: EntitySet) {
        var seen: Set<String> = []
        for ordinal in [0, 1, 2, 999, EntityShelf.firstCreated, EntityShelf.firstCreated + 1] {
            let generator = EntityGenerator(seed: 1, tenant: Self.tenant([set: 1_000]))
            let id = generator.id(set, ordinal)
            #expect(seen.insert(id).inserted)
            #expect(generator.ordinal(set, of: id) == ordinal)
            #expect(set == .roleScopeTags || generator.ordinal(set, of: id.uppercased()) == ordinal)
            let other = EntityGenerator(seed: 2, tenant: Self.tenant([set: 1_000]))
            #expect(set == .roleScopeTags || other.ordinal(set, of: id) == nil)
            let first = id.dropFirst(set.isAppProtection ? 2 : 0).prefix(1)
            let almost = id.replacing(first, with: first == "0" ? "1" : "0", maxReplacements: 1)
            #expect(set == .roleScopeTags || generator.ordinal(set, of: almost) == nil)
        }
        for id in ["", "x", GUID.zero.description, "-1", "01"] {
            #expect(generator.ordinal(set, of: id) == nil, "\(id)")
        }
    }

    @Test func createdChangedAndRemovedOnesOverlayTheSeed() {
        var shelf = shelf()
        shelf.remove(shelf.entity(2, generator)!, lag: nil)
        shelf.add(new(shelf), lag: nil)
        var changed = shelf.entity(4, generator)!
        changed.document["displayName"] = "changed"
        shelf.replace(shelf.entity(4, generator)!, with: changed, lag: nil)
        #expect(listed(shelf) == [0, 1, 3, 4, EntityShelf.firstCreated])
        #expect(shelf.count == 5)
        #expect(shelf.entity(2, generator) == nil)
        #expect(shelf.entity(4, generator)?.document["displayName"] == "changed")
        #expect(shelf.listed(from: 4, limit: 1, now: 0, generator).map(\.ordinal) == [4])
    }

    @Test func listsLagByReadsAndSingleReadsDoNot() {
        var shelf = shelf()
        let created = new(shelf)
        shelf.add(created, lag: .listings(2))
        shelf.remove(shelf.entity(0, generator)!, lag: .listings(2))
        #expect(shelf.entity(created.ordinal, generator) == created)
        #expect(shelf.entity(0, generator) == nil)
        var seen: [[Int]] = []
        for _ in 0..<3 {
            shelf.beginListing(now: 0)
            // The following pages of one listing show what its first page shows.
            #expect(listed(shelf) == listed(shelf))
            seen.append(listed(shelf))
        }
        let now = [1, 2, 3, 4, EntityShelf.firstCreated]
        #expect(seen == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], now])
    }

    @Test func listsLagByTime() {
        var shelf = shelf()
        var changed = shelf.entity(1, generator)!
        let before = changed.document["displayName"]
        changed.document["displayName"] = "new"
        shelf.replace(shelf.entity(1, generator)!, with: changed, lag: .until(100))
        // A second write doesn't bring the first to light, and starts the wait anew.
        shelf.replace(changed, with: changed, lag: .until(200))
        func name(_ now: Int64) -> JSON? {
            shelf.beginListing(now: now)
            return shelf.listed(from: 1, limit: 1, now: now, generator)[0].document["displayName"]
        }
        #expect(name(99) == before && name(199) == before)
        #expect(name(200) == "new")
        #expect(!shelf.isStale)
    }

    @Test func theSeedIsRepeatableAndHasOddData() {
        let configurations = (0..<16).map { generator.entity(.deviceConfigurations, $0) }
        #expect(configurations == (0..<16).map { generator.entity(.deviceConfigurations, $0) })
        let other = EntityGenerator(seed: 2, tenant: Self.tenant())
        #expect(configurations[0] != other.entity(.deviceConfigurations, 0))
        let names = configurations.compactMap { $0.document["displayName"]?.string }
        #expect(Set(names).count < names.count, "some names are equal")
        #expect(names.contains { $0.count > 250 })
        #expect(names.contains { !$0.unicodeScalars.allSatisfy(\.isASCII) })
        let descriptions = configurations.map { $0.document["description"] }
        #expect(descriptions.contains("") && descriptions.contains(.null))
        let targets = configurations.flatMap(\.assignments).compactMap { $0["target"]?.object }
        let groups = Set((0..<12).map { generator.id(.groups, $0) })
        let assigned = targets.compactMap { $0["groupId"]?.string }
        #expect(assigned.contains { groups.contains($0) })
        #expect(assigned.contains { !groups.contains($0) }, "a deleted group is assigned")
        #expect(targets.contains { $0["@odata.type"]?.string?.contains("exclusion") == true })
        #expect(targets.contains { $0["deviceAndAppManagementAssignmentFilterId"]?.string != nil })
        #expect(configurations.flatMap(\.assignments).contains { $0["source"] == "policySets" })
        #expect(configurations.contains { !$0.secrets.isEmpty })
        #expect(generator.entity(.configurationPolicies, 1).settings.count == 300)
    }

    /// What is read must be writable: each seeded document passes as the body of a create.
    @Test(arguments: EntitySet.allCases.filter(\.isWritable), [GraphVersion.v1, .beta])
    func seededDocumentsCanBeRestored(_ set: EntitySet, _ version: GraphVersion) throws {
        guard version == .beta || set.isInV1 else { return }
        for ordinal in 0..<20 {
            let entity = generator.entity(set, ordinal)
            let document = entity.properties(of: set, in: version, isListed: false)
            let type = document["@odata.type"]?.string
            // On v1.0 the documents of beta's types show as the base type, which can't be created.
            if type == "#microsoft.graph.\(set.model.name)" { continue }
            let body = try EntityBody(JSON.object(document).bytes, set, version, .create)
            #expect(body.type == type)
            #expect(!body.values.isEmpty)
        }
    }

    @Test func v1HidesWhatOnlyBetaHas() {
        let wifi = generator.entity(.deviceConfigurations, 8)
        let shown = wifi.properties(of: .deviceConfigurations, in: .v1, isListed: false)
        #expect(shown["@odata.type"] == "#microsoft.graph.deviceConfiguration")
        #expect(shown["ssid"] == nil && shown["roleScopeTagIds"] == nil)
        #expect(shown["displayName"] != nil && shown["version"] != nil)
        let assignment = generator.entity(.deviceConfigurations, 3).assignments[0]
        let v1 = Entity.shown(assignment, in: .v1)
        #expect(v1.keys == ["id", "target"])
        #expect(v1["target"]?.object?.keys == ["@odata.type"])
    }

    @Test(
        arguments: [
            ("assignments", [Expansion(name: "assignments", nested: [])]),
            (
                "a($expand=b, c;$select=d),e",
                [Expansion(name: "a", nested: ["b", "c"]), Expansion(name: "e", nested: [])]
            ),
            ("a(", nil), ("a)", nil), ("a($expand=b", nil),
        ] as [(String, [Expansion]?)])
    func expansionsAreRead(_ text: String, _ expected: [Expansion]?) {
        #expect(Expansion.all(in: text) == expected)
    }

    @Test(
        arguments: [
            ("displayName eq 'PILOT'", 2), ("displayName eq 'O''Brien''s team'", 1),
            ("startswith(displayName,'windows')", 1), ("id eq '{0}'", 1), ("id in ('{0}','{1}')", 2),
            ("id eq '{0}' or displayName eq 'VIP'", 2), ("displayName eq 'nobody'", 0),
        ])
    func groupsAreFiltered(_ text: String, _ count: Int) throws {
        let groups = (0..<8).map { generator.entity(.groups, $0) }
        let filled = text.replacing("{0}", with: groups[0].id).replacing(
            "{1}", with: groups[1].id.uppercased())
        let filter = try GroupFilter(filled)
        #expect(groups.count { filter.matches($0) } == count)
    }

    @Test(arguments: ["", "mail eq 'x'", "displayName ne 'x'", "displayName eq x", "id in ()", "id in ('a'"])
    func otherGroupFiltersAreRefused(_ text: String) {
        #expect(throws: QueryOptions.Failure.self) { try GroupFilter(text) }
    }

    @Test func statusCodesDifferBetweenPaperAndField() {
        let documented = EntitySet.allCases.filter(\.isWritable).map {
            [
                StatusStyle.documented.created($0), StatusStyle.documented.patched($0),
                StatusStyle.documented.deleted($0),
            ]
        }
        #expect(documented.dropLast().allSatisfy { $0 == [201, 200, 204] })
        #expect(documented.last == [201, 204, 204], "conditional access")
        let style = StatusStyle.observed
        #expect(style.patched(.deviceConfigurations) == 204 && style.patched(.deviceManagementScripts) == 200)
        #expect(
            style.deleted(.deviceConfigurations) == 200 && style.deleted(.iosManagedAppProtections) == 204)
        #expect(style.created(.roleScopeTags) == 200 && style.created(.assignmentFilters) == 201)
    }
}

@Suite struct BatchTests {
    private static func request(_ id: String, _ more: JSONObject = [:]) -> JSON {
        var request: JSONObject = ["id": .string(id), "method": "get", "url": "/organization"]
        for (name, value) in more.members { request[name] = value }
        return .object(request)
    }

    private func read(_ requests: [JSON]) throws -> [String] {
        try Batch(JSON.object(["requests": .array(requests)]).bytes).entries.map(\.id)
    }

    @Test func ordersByDependence() throws {
        let requests = [
            Self.request("c", ["dependsOn": ["B"]]), Self.request("b", ["dependsOn": ["a"]]),
            Self.request("a"),
        ]
        #expect(try read(requests) == ["a", "b", "c"])
        #expect(try read((0..<20).map { Self.request("\($0)") }).count == 20)
    }

    @Test(
        arguments: [
            [], (0..<21).map { request("\($0)") }, [request("a"), request("A")], [request("")],
            [request("a", ["url": "https://graph.microsoft.com/v1.0/organization"])],
            [request("a", ["body": [:]])], [request("a", ["dependsOn": ["x"]])], [["id": "a"]],
            [request("a", ["dependsOn": ["b"]]), request("b", ["dependsOn": ["a"]])],
        ] as [[JSON]])
    func refusesTheWhole(_ requests: [JSON]) {
        #expect(throws: GraphRefusal.self) { try read(requests) }
    }
}
