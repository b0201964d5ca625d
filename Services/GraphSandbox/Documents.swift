import JSON

/// Lists and entities that are few and small enough to be made as whole documents.
struct Documents: Sendable {
    let graph: GraphCall
    /// The type's name for messages, e.g. `deviceConfiguration`.
    let type: String
    /// The collection's name in `@odata.context`.
    let context: String
    /// The names that `$select` may hold.
    let properties: Set<String>
    let pageSize: Int

    /// What `$expand` may name, and what inside it.
    var expandable: [String: [String]] = [:]
    /// More that `$select` may hold.
    var knows: @Sendable (String) -> Bool = { _ in false }

    /// One entry of a list. Positions ascend; a page starts behind one.
    struct Row: Sendable {
        let position: UInt64
        let document: JSONObject
        /// What `$expand` adds.
        var expanded = JSONObject()
    }

    /// - Parameter isFiltered: whether the caller has answered a `$filter` already; else one is refused.
    func list(_ documents: [JSONObject], isFiltered: Bool = false) -> Answer {
        list(isFiltered: isFiltered) { _, position, limit in
            documents.enumerated().dropFirst(Int(min(position, UInt64(documents.count)))).prefix(limit)
                .map { Row(position: UInt64($0.offset + 1), document: $0.element) }
        }
    }

    /// - Parameter rows: up to a number of entries behind a position.
    func list(
        isFiltered: Bool = false,
        rows: (_ options: QueryOptions, _ position: UInt64, _ limit: Int) throws(QueryOptions.Failure) ->
            [Row]
    ) -> Answer {
        do throws(QueryOptions.Failure) {
            let options = try checked()
            guard options.filter == nil || isFiltered else {
                return graph.badRequest("The query option '$filter' is not supported on this resource.")
            }
            let scope = SkipToken.Scope(
                seed: graph.sandbox.tenants.seed, tenant: graph.tenant.id,
                list: "\(graph.version.rawValue)/\(context)", filter: options.filter)
            let token = options.skipToken.map { SkipToken($0, scope) } ?? SkipToken(position: 0)
            guard let token else { return graph.badRequest("Skip token is expired or not valid.") }
            if graph.plan.emptyPage { return envelope([], token, scope, options) }
            let limit = options.top ?? pageSize
            let found = try rows(options, token.position, limit + 1)
            let page = found.prefix(limit)
            let next = found.count > limit ? page.last.map { SkipToken(position: $0.position) } : nil
            return envelope(page.map { shown($0, options) }, next, scope, options)
        } catch {
            return graph.badRequest(error.message)
        }
    }

    func entity(_ document: JSONObject, expanded: ([Expansion]) -> JSONObject = { _ in [:] }) -> Answer {
        do throws(QueryOptions.Failure) {
            let options = try checked()
            let row = Row(position: 0, document: document, expanded: expanded(options.expand))
            var body: JSONObject = ["@odata.context": .string(graph.context(context, options) + "/$entity")]
            for (key, value) in shown(row, options).members { body[key] = value }
            return graph.ok(JSON.object(body).bytes)
        } catch {
            return graph.badRequest(error.message)
        }
    }

    private func checked() throws(QueryOptions.Failure) -> QueryOptions {
        let options = try QueryOptions(graph.call.query, expandable: expandable)
        try options.checkSelect(of: type) { properties.contains($0) || knows($0) }
        return options
    }

    private func shown(_ row: Row, _ options: QueryOptions) -> JSONObject {
        var document = options.selected(row.document)
        for (key, value) in row.expanded.members { document[key] = value }
        return document
    }

    private func envelope(
        _ page: [JSONObject], _ next: SkipToken?, _ scope: SkipToken.Scope, _ options: QueryOptions
    ) -> Answer {
        var body: JSONObject = ["@odata.context": .string(graph.context(context, options))]
        if graph.path.resource.isIntune { body["@odata.count"] = .int(page.count) }
        if let next {
            body["@odata.nextLink"] = .string(graph.call.nextLink(next, scope, form: graph.plan.nextLink))
        }
        body["value"] = .array(page.map(JSON.object))
        return graph.ok(JSON.object(body).bytes)
    }
}
