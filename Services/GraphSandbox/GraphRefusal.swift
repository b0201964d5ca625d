/// Why a call is refused behind routing, token and permission.
struct GraphRefusal: Error, Hashable {
    let status: Int
    let code: String
    let message: String
    /// Whether Intune's service refuses, which wraps its text, or the gateway.
    let isWrapped: Bool

    /// 400 of the gateway: the body or query doesn't fit the metadata.
    static func gateway(_ message: String) -> GraphRefusal {
        GraphRefusal(status: 400, code: "BadRequest", message: message, isWrapped: false)
    }

    /// 400 of the service behind it: the values make no sense together.
    static func service(_ message: String) -> GraphRefusal {
        GraphRefusal(status: 400, code: "BadRequest", message: message, isWrapped: true)
    }

    /// 409: a name that must be unique is taken.
    static func conflict(_ message: String) -> GraphRefusal {
        GraphRefusal(status: 409, code: "Conflict", message: message, isWrapped: true)
    }

    /// 404 for an id.
    static let notFound = GraphRefusal(status: 404, code: "ResourceNotFound", message: "", isWrapped: true)
}

extension GraphCall {
    /// The refusal in the shape of the service that is asked.
    func refused(_ refusal: GraphRefusal, id: String = "") -> Answer {
        if refusal.status == 404 { return notFound(id) }
        guard refusal.isWrapped, path.resource.isIntune else {
            let code =
                path.resource.isIntune || refusal.code != "BadRequest" ? refusal.code : "Request_BadRequest"
            return errors.plain(refusal.status, code, refusal.message)
        }
        return errors.intune(refusal.status, refusal.code, refusal.message, path: call.path)
    }
}
