import HTTPTypes
import JSON

/// Writes of the documents of one set. Each reads, checks and changes the tenant in one step.
struct EntityWrites: Sendable {
    let graph: GraphCall
    let set: EntitySet

    func create() -> Answer {
        write(nil) { (edit) throws(GraphRefusal) in
            let body = try EntityBody(graph.call.body, set, graph.version, .create)
            try edit.checkUnique(body.values[set.model.title]?.string)
            let entity = try edit.created(body)
            edit.tenant.entities[set].add(entity, lag: edit.lag)
            return (entity, .create, body.ignored)
        }
    }

    func patch(_ id: String) -> Answer {
        write(id) { (edit) throws(GraphRefusal) in
            let before = try edit.find(id)
            let type = before.type(in: set)
            let body = try EntityBody(graph.call.body, set, graph.version, .change(type: type))
            if let title = body.values[set.model.title]?.string,
                title != before.document[set.model.title]?.string
            {
                try edit.checkUnique(title)
            }
            let after = try edit.changed(before, body)
            edit.replace(before, with: after)
            return (after, .update, body.ignored)
        }
    }

    /// The complete settings-catalogue policy: the only way to change its settings.
    func put(_ id: String) -> Answer {
        write(id) { (edit) throws(GraphRefusal) in
            let before = try edit.find(id)
            let body = try EntityBody(graph.call.body, set, graph.version, .replace)
            guard body.values["settings"] != nil else {
                throw .service("A policy is replaced as a whole: 'settings' is absent.")
            }
            let after = try edit.changed(before, body)
            edit.replace(before, with: after)
            return (after, .replace, body.ignored)
        }
    }

    func delete(_ id: String) -> Answer {
        write(id) { (edit) throws(GraphRefusal) in
            let before = try edit.find(id)
            guard before.document["isBuiltIn"] != true else {
                throw .service("A built-in object can't be deleted.")
            }
            edit.keepSecrets(of: before)
            edit.tenant.entities[set].remove(before, lag: edit.lag)
            return (before, .delete, [])
        }
    }

    /// Replaces the complete set of direct assignments. What a policy set assigns is not the caller's to remove;
    /// so who sends it back as a direct one has it twice.
    func assign(_ id: String) -> Answer {
        write(id) { (edit) throws(GraphRefusal) in
            let before = try edit.find(id)
            let (generator, filters) = (edit.generator, edit.tenant.entities[.assignmentFilters])
            let targets = try AssignmentSet(
                graph.call.body,
                AssignmentSet.Context(
                    set: set, version: graph.version, platform: AssignmentPlatform(before, set),
                    filterPlatform: { id in
                        generator.ordinal(.assignmentFilters, of: id)
                            .flatMap { filters.entity($0, generator) }?.document["platform"]?.string
                    })
            ).targets
            if before.document["isBuiltIn"] == true {
                throw .service("A built-in default can't be assigned.")
            }
            var after = before
            after.assignments = before.assignments.filter { $0["source"] == "policySets" }
            after.assignments += targets.enumerated().map { index, target in
                target.assignment(of: before.id, set, index: index)
            }
            edit.replace(before, with: after)
            return (after, .assign, [])
        }
    }

    /// Replaces the actions of a compliance policy.
    func scheduleActions(_ id: String) -> Answer {
        write(id) { (edit) throws(GraphRefusal) in
            let before = try edit.find(id)
            let key = "deviceComplianceScheduledActionForRules"
            guard let body = (try? JSON(parsing: graph.call.body))?.object, body.keys == [key] else {
                throw .gateway("The body must hold '\(key)' and nothing else.")
            }
            var after = before
            after.scheduledActions = try ScheduledActions.stored(body[key], draws: edit.draws)
            edit.touch(&after)
            edit.replace(before, with: after)
            return (after, .action, [])
        }
    }

    /// Sets the apps of an app protection policy.
    func targetApps(_ id: String) -> Answer {
        write(id) { (edit) throws(GraphRefusal) in
            let before = try edit.find(id)
            guard let body = (try? JSON(parsing: graph.call.body))?.object,
                let apps = body["apps"]?.array,
                body.keys.allSatisfy({ $0 == "apps" || $0 == "appGroupType" })
            else { throw .gateway("The body must hold 'apps', and may hold 'appGroupType'.") }
            var after = before
            after.apps = []
            for (index, app) in apps.enumerated() {
                guard let identifier = app["mobileAppIdentifier"]?.object, identifier["@odata.type"] != nil
                else { throw .gateway("An app needs a 'mobileAppIdentifier' with its '@odata.type'.") }
                let name = identifier["bundleId"]?.string ?? identifier["packageId"]?.string
                guard let name else { throw .service("An app needs a 'bundleId' or a 'packageId'.") }
                after.apps.append([
                    "id": .string("\(name.lowercased()).\(index)"), "version": "1",
                    "mobileAppIdentifier": .object(identifier),
                ])
            }
            if let type = body["appGroupType"] { after.document["appGroupType"] = type }
            edit.touch(&after)
            edit.replace(before, with: after)
            return (after, .action, [])
        }
    }

    // MARK: Answers

    private typealias Done = (entity: Entity, change: Answer.Written.Change, ignored: [String])

    /// Changes the tenant, or leaves it as it was and refuses.
    private func write(
        _ id: String?, _ change: (inout EntityEdit) throws(GraphRefusal) -> Done
    ) -> Answer {
        let lag = graph.sandbox.faults.listLag(
            tenant: graph.tenant.id, now: SandboxClock.monotonicNanoseconds())
        let result = graph.sandbox.tenants.update(graph.tenant.id) { tenant -> Result<Done, GraphRefusal> in
            var edit = EntityEdit(
                tenant: tenant, set: set, seed: graph.sandbox.tenants.seed, lag: lag, now: graph.sandbox.now)
            let result = Result { () throws(GraphRefusal) in try change(&edit) }
            if case .success = result { tenant = edit.tenant }
            return result
        }
        switch result {
        case .success(let done): return answer(done)
        case .failure(let refusal): return graph.refused(refusal, id: id ?? "")
        case nil: return graph.notFound(id ?? "")
        }
    }

    private func answer(_ done: Done) -> Answer {
        var answer = content(done)
        answer.written = Answer.Written(
            set: set.rawValue, id: done.entity.id, change: done.change, ignored: done.ignored)
        return answer
    }

    private func content(_ done: Done) -> Answer {
        let style = graph.tenant.statuses
        switch done.change {
        case .create:
            var answer = Entities(graph, set).answer(done.entity)
            answer.status = style.created(set)
            answer.add(.location, "\(graph.call.base)\(graph.call.path)('\(done.entity.id)')")
            return answer
        case .update:
            return style.patched(set) == 204 ? Answer(status: 204) : Entities(graph, set).answer(done.entity)
        case .replace: return Answer(status: 204)
        case .delete: return Answer(status: style.deleted(set))
        case .assign:
            if set.isAppProtection { return Answer(status: 204) }
            if set == .deviceManagementScripts { return Answer(status: 200) }
            let context = "$metadata#Collection(microsoft.graph.\(set.model.name)Assignment)"
            let value = done.entity.assignments.map { JSON.object(Entity.shown($0, in: graph.version)) }
            let base = "\(graph.call.base)/\(graph.version.rawValue)/"
            return graph.ok(
                JSON.object(["@odata.context": .string(base + context), "value": .array(value)]).bytes)
        case .action: return Answer(status: set.isAppProtection ? 204 : 200)
        }
    }
}

/// A change of one set of a tenant, while it is made.
struct EntityEdit {
    var tenant: Tenant
    let set: EntitySet
    let generator: EntityGenerator
    /// Random values of this write.
    let draws: Draws
    let lag: EntityShelf.Lag?
    private let now: Int64

    init(tenant: Tenant, set: EntitySet, seed: UInt64, lag: EntityShelf.Lag?, now: Int64) {
        self.tenant = tenant
        self.tenant.entities.writes += 1
        self.set = set
        self.lag = lag
        self.now = now
        generator = EntityGenerator(seed: seed, tenant: tenant)
        draws = Draws(seed: seed, text: "\(tenant.deviceSeed)|write|\(self.tenant.entities.writes)")
    }

    func find(_ id: String) throws(GraphRefusal) -> Entity {
        let found = generator.ordinal(set, of: id).flatMap { tenant.entities[set].entity($0, generator) }
        guard let found else { throw .notFound }
        return found
    }

    /// Names of filters and scope tags are unique; those of policies are not.
    func checkUnique(_ title: String?) throws(GraphRefusal) {
        guard set == .assignmentFilters || set == .roleScopeTags, let title else { return }
        let isTaken = tenant.entities[set].all(generator).contains {
            $0.document[set.model.title]?.string == title
        }
        if isTaken { throw .conflict("An object with the name '\(title.prefix(200))' exists already.") }
    }

    mutating func replace(_ before: Entity, with after: Entity) {
        keepSecrets(of: before)
        tenant.entities[set].replace(before, with: after, lag: lag)
    }

    /// Tokens of settings that are gone stay good in this tenant.
    mutating func keepSecrets(of entity: Entity) {
        guard set == .configurationPolicies else { return }
        tenant.entities.formerSecrets.merge(entity.secrets) { _, new in new }
    }

    func created(_ body: EntityBody) throws(GraphRefusal) -> Entity {
        let ordinal = tenant.entities[set].nextOrdinal
        let id = generator.id(set, ordinal)
        var document = JSONObject()
        if let type = body.type { document["@odata.type"] = .string(type) }
        document["id"] = .string(id)
        for (name, value) in serviceProperties.members { document[name] = value }
        return try applied(body, to: Entity(ordinal: ordinal, id: id, document: document))
    }

    func changed(_ before: Entity, _ body: EntityBody) throws(GraphRefusal) -> Entity {
        var after = try applied(body, to: before)
        touch(&after)
        return after
    }

    /// Moves the date of change and the version on.
    func touch(_ entity: inout Entity) {
        for name in ["lastModifiedDateTime", "modifiedDateTime"] where entity.document[name] != nil {
            entity.document[name] = date
        }
        switch entity.document["version"] {
        case .integer(let version): entity.document["version"] = .integer(version + 1)
        case .string: entity.document["version"] = .string("\"\(draws.guid(1))\"")
        default: break
        }
    }

    /// The document with the body's properties: merged, collections replaced whole.
    private func applied(_ body: EntityBody, to before: Entity) throws(GraphRefusal) -> Entity {
        var entity = before
        var secrets = PolicySecrets(draws: draws, known: plainText)
        for (name, value) in body.values.members {
            switch name {
            case "settings":
                entity.secrets = [:]
                entity.settings = []
                for (index, setting) in (value.array ?? []).enumerated() {
                    guard let instance = setting["settingInstance"]?.object,
                        instance["@odata.type"]?.string != nil,
                        instance["settingDefinitionId"]?.string != nil
                    else { throw .service("A setting needs a 'settingInstance' with type and definition.") }
                    let sealed = try secrets.sealed(.object(instance))
                    entity.settings.append(["id": .string(String(index)), "settingInstance": sealed])
                }
            case "scheduledActionsForRule": continue
            case "omaSettings":
                entity.secrets = [:]
                entity.document[name] = try secrets.masked(omaSettings: value)
            default: entity.document[name] = value
            }
        }
        entity.secrets.merge(secrets.plain) { _, new in new }
        try check(&entity, body)
        return entity
    }

    private func check(_ entity: inout Entity, _ body: EntityBody) throws(GraphRefusal) {
        if set == .deviceCompliancePolicies, entity.scheduledActions.isEmpty {
            entity.scheduledActions = try ScheduledActions.stored(
                body.values["scheduledActionsForRule"], draws: draws)
        }
        if set == .configurationPolicies, entity.settings.isEmpty {
            throw .service("A policy needs at least one setting.")
        }
        if set == .assignmentFilters {
            guard entity.document["platform"]?.string != nil,
                entity.document["rule"]?.string?.isEmpty == false
            else { throw .service("An assignment filter needs a 'platform' and a 'rule'.") }
        }
        if set == .conditionalAccessPolicies {
            let groups = tenant.entities[.groups]
            try ConditionalAccess.check(entity.document) { id in
                generator.ordinal(.groups, of: id).flatMap { groups.entity($0, generator) } != nil
            }
        }
    }

    /// The plain text behind a token that the tenant's settings catalogue issued.
    private var plainText: @Sendable (String) -> String? {
        let (tenant, generator) = (tenant, generator)
        return { token in
            if let found = tenant.entities.formerSecrets[token] { return found }
            for policy in tenant.entities[.configurationPolicies].all(generator) {
                if let found = policy.secrets[token] { return found }
            }
            return nil
        }
    }

    /// Server time with seven digits.
    private var date: JSON {
        .string(
            GraphDate(seconds: now, ticks: UInt32(draws.number(2, below: 10_000_000)), digits: 7).text)
    }

    /// What the service gives a new document.
    private var serviceProperties: JSONObject {
        switch set {
        case .deviceConfigurations, .deviceCompliancePolicies:
            [
                "createdDateTime": date, "lastModifiedDateTime": date, "version": 1,
                "roleScopeTagIds": ["0"], "supportsScopeTags": true, "description": nil,
            ]
        case .configurationPolicies:
            [
                "createdDateTime": date, "lastModifiedDateTime": date, "roleScopeTagIds": ["0"],
                "settingCount": 0, "creationSource": nil, "isAssigned": false, "priorityMetaData": nil,
                "description": "", "platforms": "none", "technologies": "none",
                "templateReference": [
                    "templateId": "", "templateFamily": "none", "templateDisplayName": nil,
                    "templateDisplayVersion": nil,
                ],
            ]
        case .deviceManagementScripts:
            [
                "createdDateTime": date, "lastModifiedDateTime": date, "roleScopeTagIds": ["0"],
                "description": "", "runAsAccount": "system", "enforceSignatureCheck": false,
                "runAs32Bit": false, "scriptContent": nil, "fileName": nil,
            ]
        case .iosManagedAppProtections, .androidManagedAppProtections:
            [
                "createdDateTime": date, "lastModifiedDateTime": date, "roleScopeTagIds": ["0"],
                "version": .string("\"\(draws.guid(1))\""), "isAssigned": false, "deployedAppCount": 0,
            ]
        case .assignmentFilters:
            [
                "createdDateTime": date, "lastModifiedDateTime": date, "payloads": [],
                "roleScopeTags": ["0"], "assignmentFilterManagementType": "devices", "description": "",
            ]
        case .roleScopeTags: ["isBuiltIn": false, "description": ""]
        case .conditionalAccessPolicies:
            [
                "templateId": nil, "createdDateTime": date, "modifiedDateTime": nil,
                "sessionControls": nil, "grantControls": nil,
            ]
        case .mobileApps, .groups: ["createdDateTime": date]
        }
    }
}
