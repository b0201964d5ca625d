import JSON
import Operations
import ServiceKit
import Store

/// What a bulk operation would change, told before it is started; and starting exactly what was told.
struct BulkDryRun: Sendable {
    let tenants: TenantReading
    let candidates: BulkCandidates
    let directory: DirectoryReading
    let outlook: StartOutlook
    let access: AccessReading
    let starter: StarterClient
    let choice: BulkChoice

    // MARK: looking

    /// Goes on choosing, or tells what would be changed.
    func look(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        let wish = try BulkWish(form)
        guard let reach = form["step"].flatMap(BulkWish.Reach.init) else {
            return .page(try await choice.page(wish, problems: [], visit))
        }
        try await require(wish.definition, on: wish.connection, visit)
        let parameters: BulkParameters
        do { parameters = try Self.parameters(wish, reach) } catch {
            return .again(try await choice.page(wish, problems: error.sentences, visit))
        }
        let answer = await dryRun(wish.type, wish.connection, parameters.json, visit)
        guard answer.isSuccess else {
            return .again(try await choice.page(wish, problems: [answer.detail], visit))
        }
        let shown = BulkShown(wish.type, wish.connection, parameters, BulkShown.Result(answer.body))
        return .page(try await page(shown, problems: [], visit))
    }

    private struct Incomplete: Error {
        let sentences: [String]
    }

    private static func problem(_ wish: BulkWish, _ reach: BulkWish.Reach) -> String? {
        if reach == .ticked, wish.items.isEmpty {
            return "Tick at least one, or take all that the search finds."
        }
        if reach == .ticked, wish.items.count > BulkSelection.itemLimit {
            return
                "At most \(BulkSelection.itemLimit) can be ticked. Search for what they have in common instead."
        }
        return wish.assigns && wish.target.isGroup && wish.groupID == nil ? "Choose the group." : nil
    }

    private static func parameters(
        _ wish: BulkWish, _ reach: BulkWish.Reach
    ) throws(Incomplete) -> BulkParameters {
        if let problem = problem(wish, reach) { throw Incomplete(sentences: [problem]) }
        do { return try BulkParameters(wish.parameters(reach), for: wish.type) } catch {
            throw Incomplete(
                sentences: error.faults.map { fault in
                    let name = fault.pointer.split(separator: "/").last.map(String.init) ?? ""
                    return "\(BulkChoice.conditionLabels[name] ?? "What was chosen"): it \(fault.detail)."
                })
        }
    }

    private func dryRun(
        _ type: OperationType, _ connection: ConnectionID, _ parameters: JSON, _ visit: Visit
    ) async -> StarterClient.Answer {
        await starter.send(
            "POST", "/v1/dry-runs",
            [
                "operation": .string(type.rawValue), "provider_connection_id": .string("\(connection)"),
                "parameters": parameters,
            ], as: visit.secret)
    }

    private func require(
        _ definition: OperationDefinition, on connection: ConnectionID, _ visit: Visit
    ) async throws {
        try await Access(of: visit.principal, at: .connection(connection), access)
            .require(definition.capability)
    }

    // MARK: telling

    private struct View: Sendable {
        struct Fact: Sendable {
            let name: String
            let text: String
        }

        let headline: String
        let problems: [String]
        let connection: ConnectionView
        let tenantHref: String
        let facts: [Fact]
        let ineligible: [String]
        let examples: [String]
        let more: String?
        /// Why it would be refused now, and who could do what about it.
        let obstacle: String?
        let remedy: String?
        /// What it was chosen by may find something else later.
        let isByFilter: Bool
        let canStart: Bool
        let limit: String?
        let button: String
        /// What has to be typed; nil where nothing has.
        let typed: String?
        let choice: String
        let fields: [Question.Field]
    }

    private func page(_ shown: BulkShown, problems: [String], _ visit: Visit) async throws -> SitePage {
        guard let connection = try await tenants.connection(shown.connection) else { throw Fault.notFound }
        let selection = shown.parameters.selection
        let count = shown.result.eligible
        let isTooMuch = count > RunDivision.itemLimit
        let obstacle = try await obstacle(shown, visit)
        var isByFilter = false
        if case .filter = selection.choice { isByFilter = true }
        let words = try await words(shown)
        return SitePage(
            template: "bulk-dry-run", title: "Before anything is changed", section: .bulk,
            content: View(
                headline: count == 0 ? "Nothing would be changed" : words.headline, problems: problems,
                connection: ConnectionView(connection, now: visit.now),
                tenantHref: Link.tenant(connection.tenant.id), facts: words.facts,
                ineligible: shown.result.ineligible.sorted { $0.key < $1.key }.map {
                    "\(Presentation.grouped($0.value)) can't be: \(Presentation.ineligible($0.key))."
                }, examples: shown.result.examples,
                more: count > shown.result.examples.count
                    ? "and \(Presentation.grouped(count - shown.result.examples.count)) more" : nil,
                obstacle: obstacle.map { Presentation.sentence(.denial($0)) },
                remedy: obstacle.map { Presentation.remedy(.denial($0), isOver: true) },
                isByFilter: isByFilter, canStart: count > 0 && !isTooMuch,
                limit: isTooMuch
                    ? "A run changes at most \(Presentation.grouped(RunDivision.itemLimit)): choose less."
                    : nil,
                button: words.button, typed: shown.type == .policyBulkDelete ? "\(count)" : nil,
                choice: visit.seal.signed(shown.json.text),
                fields: BulkWish.fields(shown.type, shown.connection, shown.parameters)))
    }

    private func obstacle(_ shown: BulkShown, _ visit: Visit) async throws -> DenialReason? {
        let request = StartRequest(
            operation: shown.type.rawValue, connectionID: shown.connection,
            parameters: shown.parameters.json,
            initiatorID: visit.principal.userID, origin: .person)
        return try await outlook.obstacles(of: [request])[0]
    }

    private struct Words: Sendable {
        let headline: String
        let button: String
        let facts: [View.Fact]
    }

    private func words(_ shown: BulkShown) async throws -> Words {
        let selection = shown.parameters.selection
        let noun = BulkChoice.noun(shown.result.eligible, selection.kind)
        var facts = [View.Fact(name: "Chosen", text: Self.chosen(selection))]
        switch shown.type {
        case .policyBulkDelete:
            return Words(headline: "\(noun) would be deleted", button: "Delete \(noun)", facts: facts)
        case .deviceBulkSync:
            return Words(
                headline: "\(noun) would be asked to sync", button: "Ask \(noun) to sync", facts: facts)
        default:
            guard let assignment = shown.parameters.assignment else { throw Fault.notFound }
            let target = try await target(assignment, on: shown.connection)
            facts.append(View.Fact(name: "Assigned to", text: target))
            if let filter = assignment.filterID {
                let name = try await candidates.named([filter], of: .assignmentFilter, on: shown.connection)
                    .first?.name
                let mode = assignment.filterMode == .exclude ? "all but those of" : "only those of"
                facts.append(View.Fact(name: "Narrowed to", text: "\(mode) «\(name ?? filter)»"))
            }
            return Words(
                headline: "\(noun) would be assigned to \(target)", button: "Assign \(noun)", facts: facts)
        }
    }

    private func target(
        _ assignment: BulkAssignment, on connection: ConnectionID
    ) async throws -> String {
        guard let group = assignment.groupID else { return assignment.target.label }
        let name = try await directory.name(ofGroup: group, on: connection) ?? group
        return assignment.target == .excludedGroup ? "everybody but «\(name)»" : "the group «\(name)»"
    }

    /// For instance «policies of the kind «device script» with «Wi-Fi» in their name».
    private static func chosen(_ selection: BulkSelection) -> String {
        let what = selection.kind.map { "policies of the kind «\($0.word)»" } ?? "devices"
        switch selection.choice {
        case .items(let ids): return "\(Presentation.grouped(ids.count)) \(what) that were ticked"
        case .filter(let filter):
            let parts = (filter.object?.members ?? []).compactMap { name, value -> String? in
                guard let value = value.string else { return nil }
                return name == "name_contains"
                    ? "with «\(value)» in their name"
                    : "\((BulkChoice.conditionLabels[name] ?? name).lowercased()) «\(BulkChoice.shortType(value))»"
            }
            return parts.isEmpty ? "all \(what)" : "\(what) \(parts.joined(separator: ", "))"
        }
    }

    // MARK: starting

    /// Starts what was shown. What would be something else by now is shown again instead.
    func start(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        guard let text = form["choice"].flatMap(visit.seal.opened), let shown = BulkShown(text) else {
            throw Fault.invalid(
                "What is to be changed was not shown in this session. Nothing was started. Choose it again.")
        }
        try await require(OperationCatalogue.definition(shown.type), on: shown.connection, visit)
        let answer = await dryRun(shown.type, shown.connection, shown.parameters.json, visit)
        guard answer.isSuccess else { throw Fault(refusal: answer) }
        let now = BulkShown.Result(answer.body)
        guard now.isSame(as: shown.result) else {
            let fresh = BulkShown(shown.type, shown.connection, shown.parameters, now)
            return .again(
                try await page(
                    fresh, problems: ["It would be something else than before by now. Look at it again."],
                    visit))
        }
        if shown.type == .policyBulkDelete, form["typed"]?.replacing(",", with: "") != "\(now.eligible)" {
            return .again(
                try await page(
                    shown, problems: ["Nothing was started: type \(now.eligible), the number of policies."],
                    visit))
        }
        // Sent twice, the same showing starts once.
        let started = await starter.start(
            shown.type.rawValue, on: "\(shown.connection)", shown.parameters.json,
            key: visit.seal.key(text), as: visit.secret)
        let label = OperationCatalogue.definition(shown.type).label
        return .done(
            Outcome(ofStart: started, back: SitePage.Section.bulk.href, done: "\(label): queued."))
    }
}
