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

    /// - Parameter isFiltered: whether the caller has answered a `$filter` already; else one is refused.
    func list(_ documents: [JSONObject], isFiltered: Bool = false) -> Answer {
        do throws(QueryOptions.Failure) {
            let options = try QueryOptions(graph.call.query)
            try options.checkSelect(of: type) { properties.contains($0) }
            guard options.filter == nil || isFiltered else {
                return graph.badRequest("The query option '$filter' is not supported on this resource.")
            }
            let scope = SkipToken.Scope(
                seed: graph.sandbox.tenants.seed, tenant: graph.tenant.id,
                list: "\(graph.version.rawValue)/\(context)", filter: nil)
            let token = options.skipToken.map { SkipToken($0, scope) } ?? SkipToken(position: 0)
            guard let token else { return graph.badRequest("Skip token is expired or not valid.") }
            let start = min(Int(token.position), documents.count)
            let page = documents[start...].prefix(options.top ?? pageSize)
            let next = page.endIndex < documents.count ? SkipToken(position: UInt64(page.endIndex)) : nil
            return envelope(page.map(options.selected), next, scope, options)
        } catch {
            return graph.badRequest(error.message)
        }
    }

    func entity(_ document: JSONObject) -> Answer {
        do throws(QueryOptions.Failure) {
            let options = try QueryOptions(graph.call.query)
            try options.checkSelect(of: type) { properties.contains($0) }
            return graph.entity(document, context, options)
        } catch {
            return graph.badRequest(error.message)
        }
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
