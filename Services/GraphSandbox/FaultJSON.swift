import JSON

/// A body of the control surface that can't be used, with the sentence that says why.
struct ControlFailure: Error, Hashable {
    let message: String
    init(_ message: String) { self.message = message }
}

extension FaultEffect {
    /// The word in `kind`.
    var kind: String {
        switch self {
        case .throttle: "throttle"
        case .outage: "outage"
        case .error: "error"
        case .echo: "echo"
        case .unauthorized: "unauthorized"
        case .claimsChallenge: "claimsChallenge"
        case .quota: "quota"
        case .slow: "slow"
        case .trickle: "trickle"
        case .reset: "reset"
        case .resetAfterCommit: "resetAfterCommit"
        case .truncate: "truncate"
        case .tokenError: "tokenError"
        case .shortTokens: "shortTokens"
        case .rolesRemoved: "rolesRemoved"
        case .churn: "churn"
        case .emptyPage: "emptyPage"
        case .expiredSkipToken: "expiredSkipToken"
        case .nextLink: "nextLink"
        case .writeQuota: "writeQuota"
        case .listLag: "listLag"
        }
    }

    /// Reads the effect from the members of a fault's body.
    init(_ body: inout ControlBody) throws(ControlFailure) {
        let kind = try body.text("kind") ?? ""
        switch kind {
        case "throttle": self = .throttle(try RetryAfter(&body, defaultSeconds: 1))
        case "outage":
            self = .outage(
                status: try body.number("status", 500...599) ?? 503, html: try body.flag("html") ?? false,
                try RetryAfter(&body, defaultSeconds: nil))
        case "error":
            let status = try body.number("status", 400...599) ?? 400
            self = .error(
                status: status, code: try body.text("code") ?? "BadRequest",
                message: try body.text("message") ?? "The request was refused by an armed fault.")
        case "echo":
            self = .echo(status: try body.number("status", 400...599) ?? 400, text: try body.text("text"))
        case "unauthorized": self = .unauthorized
        case "claimsChallenge": self = .claimsChallenge
        case "quota":
            self = .quota(
                requests: try body.required("requests", 1...100_000),
                windowSeconds: try body.number("windowSeconds", 1...3_600) ?? 20)
        case "slow": self = .slow(milliseconds: try body.required("delayMs", 1...3_600_000))
        case "trickle":
            self = .trickle(
                bytes: try body.number("bytes", 1...1_000_000) ?? 1_024,
                pauseMilliseconds: try body.required("delayMs", 1...60_000))
        case "reset": self = .reset
        case "resetAfterCommit": self = .resetAfterCommit
        case "truncate": self = .truncate(bytes: try body.number("bytes", 0...100_000_000))
        default: self = try Self.ofState(kind, &body)
        }
    }

    private static func ofState(_ kind: String, _ body: inout ControlBody) throws(ControlFailure)
        -> FaultEffect
    {
        switch kind {
        case "tokenError":
            let code = try body.required("code", 1...9_999_999)
            guard let refusal = TokenRefusal(rawValue: code) else {
                let known = TokenRefusal.allCases.map { String($0.rawValue) }.joined(separator: ", ")
                throw ControlFailure("'code' must be one of \(known).")
            }
            return .tokenError(refusal)
        case "shortTokens": return .shortTokens(seconds: try body.required("lifetimeSeconds", 1...86_400))
        case "rolesRemoved":
            return .rolesRemoved(try body.roles("roles") ?? [], atOnce: try body.flag("atOnce") ?? false)
        case "churn": return .churn(try Churn(&body))
        case "emptyPage": return .emptyPage
        case "expiredSkipToken": return .expiredSkipToken
        case "writeQuota":
            return .writeQuota(
                requests: try body.required("requests", 1...100_000),
                windowSeconds: try body.number("windowSeconds", 1...3_600) ?? 20)
        case "listLag":
            let listings = try body.number("reads", 1...1_000)
            let milliseconds = try body.number("lagMs", 1...3_600_000)
            switch (listings, milliseconds) {
            case (let listings?, nil): return .listLag(.listings(listings))
            case (nil, let milliseconds?): return .listLag(.milliseconds(milliseconds))
            default: throw ControlFailure("'listLag' needs either 'reads' or 'lagMs'.")
            }
        case "nextLink":
            guard let form = NextLinkForm(rawValue: try body.text("form") ?? "") else {
                let known = NextLinkForm.allCases.map(\.rawValue).joined(separator: ", ")
                throw ControlFailure("'form' must be one of \(known).")
            }
            return .nextLink(form)
        default: throw ControlFailure("Unknown 'kind'. GraphSandbox --help lists the kinds.")
        }
    }
}

extension RetryAfter {
    fileprivate init(_ body: inout ControlBody, defaultSeconds: Int?) throws(ControlFailure) {
        let seconds = try body.number("retryAfter", 0...86_400) ?? defaultSeconds
        switch try body.text("retryAfterForm") {
        case nil: self = seconds.map(RetryAfter.seconds) ?? .absent
        case "seconds": self = .seconds(seconds ?? 1)
        case "date": self = .date(seconds: seconds ?? 1)
        case "absent": self = .absent
        default: throw ControlFailure("'retryAfterForm' must be seconds, date or absent.")
        }
    }
}

extension Churn {
    init(_ body: inout ControlBody) throws(ControlFailure) {
        let range = 0...Self.limit
        self.init(
            insert: try body.number("insert", range) ?? 0, delete: try body.number("delete", range) ?? 0,
            rename: try body.number("rename", range) ?? 0)
        guard self != Churn() else { throw ControlFailure("Say how many to 'insert', 'delete' or 'rename'.") }
    }
}

extension Fault {
    /// Reads a whole fault. Without `count` and `seconds` it stays armed until it is cleared.
    init(_ body: inout ControlBody, now: Int64) throws(ControlFailure) {
        let effect = try FaultEffect(&body)
        let endpointName = try body.text("endpoint") ?? (effect.isAboutTokens ? "token" : "graph")
        guard let endpoint = Endpoint(rawValue: endpointName) else {
            throw ControlFailure("'endpoint' must be graph, token or any.")
        }
        let count = try body.number("count", 1...1_000_000_000)
        if effect.isState, count != nil {
            throw ControlFailure("'\(effect.kind)' is a state: bound it by 'seconds', or clear it.")
        }
        self.init(
            effect: effect, endpoint: endpoint, tenant: try body.text("tenant")?.lowercased(),
            path: try body.text("path"), method: try body.text("method")?.uppercased(),
            writes: try body.flag("writes") ?? false, inBatch: try body.flag("inBatch") ?? false,
            skip: try body.number("skip", 0...1_000_000_000) ?? 0, remaining: count,
            until: try body.number("seconds", 1...86_400).map { now + Int64($0) * 1_000_000_000 })
        try body.refuseUnread()
    }

    /// The fault as `GET /_sandbox/faults` shows it.
    func json(now: Int64) -> JSON {
        [
            "id": .int(id), "kind": .string(effect.kind), "endpoint": .string(endpoint.rawValue),
            "tenant": .optional(tenant), "path": .optional(path), "method": .optional(method),
            "writes": .bool(writes), "inBatch": .bool(inBatch), "skip": .int(skip),
            "remaining": .optional(remaining), "hits": .int(hits),
            "active": .bool(isActive(at: now)),
        ]
    }
}
