import JSON

/// `/deviceManagement/managedDevices`: list, get, and the few writes.
struct ManagedDevices: Sendable {
    let graph: GraphCall
    private let generator: DeviceGenerator

    init(_ graph: GraphCall) {
        self.graph = graph
        generator = DeviceGenerator(seed: graph.sandbox.tenants.seed, tenant: graph.tenant)
    }

    private static let context = "deviceManagement/managedDevices"

    // MARK: List

    func list() -> Answer {
        do {
            let options = try QueryOptions(graph.call.query)
            let selection = try selection(options, isSingle: false)
            let filter = try options.filter.map { try DeviceFilter($0) }
            guard let position = position(options) else { return refuseSkipToken() }
            let page = page(options, selection, filter, from: position)
            return graph.ok(envelope(page, options))
        } catch let failure as QueryOptions.Failure {
            return graph.badRequest(failure.message)
        } catch let failure as DeviceFilter.Failure {
            return graph.badRequest(failure.message)
        } catch {
            return graph.badRequest("The query is not valid.")
        }
    }

    private struct Page {
        var text: JSONText
        var count = 0
        /// Where the next page starts; nil: there is none.
        var next: UInt64?
    }

    private func scope(_ options: QueryOptions) -> SkipToken.Scope {
        SkipToken.Scope(
            seed: graph.sandbox.tenants.seed, tenant: graph.tenant.id,
            list: "\(graph.version.rawValue)/managedDevices", filter: options.filter)
    }

    private func position(_ options: QueryOptions) -> UInt64? {
        guard let text = options.skipToken else { return DeviceRoster.beginning }
        return SkipToken(text, scope(options))?.position
    }

    private func refuseSkipToken() -> Answer {
        graph.errors.intune(400, "BadRequest", "Skip token is expired or not valid.", path: graph.call.path)
    }

    /// The roster that the page shows: armed churn happens right before it is read.
    private func roster(around position: UInt64) -> DeviceRoster {
        guard !graph.plan.churn.isEmpty else { return graph.tenant.roster }
        let changed = graph.sandbox.tenants.update(graph.tenant.id) { tenant in
            for churn in graph.plan.churn {
                tenant.roster.churn(churn, around: position, draws: generator.draws)
            }
            return tenant.roster
        }
        return changed ?? graph.tenant.roster
    }

    private func page(
        _ options: QueryOptions, _ selection: DeviceSelection, _ filter: DeviceFilter?, from position: UInt64
    ) -> Page {
        let limit = options.top ?? QueryOptions.largestPage
        if options.skips { return Page(text: JSONText()) }
        if graph.plan.emptyPage { return Page(text: JSONText(), next: position) }
        let roster = roster(around: position)
        var page = Page(text: JSONText(reserving: limit * 480))
        var last = position
        roster.forEach(after: position) { entry in
            let device = generator.device(entry.ordinal, roster.edit(of: entry.ordinal))
            guard filter?.matches(device) ?? true else { return true }
            guard page.count < limit else {
                page.next = last
                return false
            }
            page.text.byte(page.count == 0 ? "{" : ",")
            if page.count > 0 { page.text.byte("{") }
            selection.write(device, to: &page.text)
            page.text.byte("}")
            page.count += 1
            last = entry.key
            return true
        }
        return page
    }

    private func envelope(_ page: Page, _ options: QueryOptions) -> [UInt8] {
        var text = JSONText(reserving: page.text.bytes.count + 1_024)
        text.raw("{\"@odata.context\":")
        text.write(graph.context(Self.context, options))
        // Intune counts the page, unasked.
        text.raw(",\"@odata.count\":")
        text.write(Int64(page.count))
        if let next = page.next {
            text.raw(",\"@odata.nextLink\":")
            text.write(
                graph.call.nextLink(SkipToken(position: next), scope(options), form: graph.plan.nextLink))
        }
        text.raw(",\"value\":[")
        text.raw(page.text.bytes)
        text.raw("]}")
        return text.bytes
    }

    private func selection(
        _ options: QueryOptions, isSingle: Bool
    ) throws(QueryOptions.Failure) -> DeviceSelection {
        let version = graph.version
        try options.checkSelect(of: "managedDevice") { DeviceProperty.named($0, in: version) != nil }
        let properties = options.select?.compactMap { DeviceProperty.named($0, in: version) }
        return DeviceSelection(properties, version: version, isSingle: isSingle)
    }

    // MARK: One device

    func get(_ id: String) -> Answer {
        guard let ordinal = ordinal(id) else { return graph.notFound(id) }
        return entity(ordinal, graph.tenant.roster)
    }

    /// The ordinal of a device that is there now.
    private func ordinal(_ id: String) -> Int? {
        generator.ordinal(of: id).flatMap { graph.tenant.roster.contains($0) ? $0 : nil }
    }

    private func entity(_ ordinal: Int, _ roster: DeviceRoster) -> Answer {
        do throws(QueryOptions.Failure) {
            let options = try QueryOptions(graph.call.query)
            let selection = try selection(options, isSingle: true)
            var text = JSONText(reserving: 4_096)
            text.raw("{\"@odata.context\":")
            text.write(graph.context(Self.context, options) + "/$entity")
            text.byte(",")
            selection.write(generator.device(ordinal, roster.edit(of: ordinal)), to: &text)
            text.byte("}")
            return graph.ok(text.bytes)
        } catch {
            return graph.badRequest(error.message)
        }
    }

    // MARK: Writes

    func delete(_ id: String) -> Answer {
        guard let ordinal = ordinal(id), change({ $0.remove(ordinal) }) != nil else {
            return graph.notFound(id)
        }
        return written(Answer(status: 204), id, .delete)
    }

    func sync(_ id: String) -> Answer {
        guard let ordinal = ordinal(id), change({ $0.edit(ordinal) { $0.syncs += 1 } }) != nil else {
            return graph.notFound(id)
        }
        return written(Answer(status: 204), id, .action)
    }

    func patch(_ id: String) -> Answer {
        guard let ordinal = ordinal(id) else { return graph.notFound(id) }
        do throws(QueryOptions.Failure) {
            let edit = try DevicePatch(graph.call.body, version: graph.version)
            guard let roster = change({ $0.edit(ordinal, edit.apply) }) else { return graph.notFound(id) }
            return written(entity(ordinal, roster), id, .update)
        } catch {
            return graph.badRequest(error.message)
        }
    }

    private func written(_ answer: Answer, _ id: String, _ change: Answer.Written.Change) -> Answer {
        var answer = answer
        answer.written = Answer.Written(set: "managedDevices", id: id.lowercased(), change: change)
        return answer
    }

    /// Changes the stored roster and returns it; nil when the change found nothing to change.
    private func change(_ body: (inout DeviceRoster) -> Bool) -> DeviceRoster? {
        graph.sandbox.tenants.update(graph.tenant.id) { tenant in body(&tenant.roster) ? tenant.roster : nil }
            ?? nil
    }
}
