import JSON

/// A routed, authenticated and permitted call, with what its handler needs.
struct GraphCall: Sendable {
    let call: IncomingCall
    let path: GraphPath
    let tenant: Tenant
    let sandbox: Sandbox
    let errors: GraphErrors
    /// What armed faults want of a page.
    let plan: Faults.Plan

    var version: GraphVersion { path.version }

    /// A 200 answer with Graph's content type.
    func ok(_ body: [UInt8]) -> Answer {
        Answer(
            status: 200,
            contentType: "application/json;odata.metadata=minimal;odata.streaming=true;"
                + "IEEE754Compatible=false;charset=utf-8",
            body: body)
    }

    func badRequest(_ message: String) -> Answer { errors.badRequest(path.resource, message) }

    func notFound(_ id: String) -> Answer { errors.notFound(path.resource, id: id, path: call.path) }

    /// The address of the metadata entry that `@odata.context` names.
    func context(_ name: String, _ options: QueryOptions) -> String {
        let columns = options.select.map { "(\($0.joined(separator: ",")))" } ?? ""
        return "\(call.base)/\(version.rawValue)/$metadata#\(name)\(columns)"
    }

    /// An entity as the answer, cut down to `$select`.
    func entity(_ document: JSONObject, _ name: String, _ options: QueryOptions) -> Answer {
        var body: JSONObject = ["@odata.context": .string(context(name, options) + "/$entity")]
        for (key, value) in options.selected(document).members { body[key] = value }
        return ok(JSON.object(body).bytes)
    }
}
