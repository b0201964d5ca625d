import HTTPTypes
import JSON

/// What tests and operators steer the sandbox with, under `/_sandbox`. It exists only when it was switched
/// on, and never appears in the journal.
struct ControlSurface: Sendable {
    /// The largest body that is read, in bytes.
    static let bodyLimit = 1 << 20
    static let segment = "_sandbox"

    let sandbox: Sandbox
    private let token: String
    private let journal: Journal

    /// Nil when the control surface is off.
    init?(_ sandbox: Sandbox) {
        guard let token = sandbox.options.controlToken, let journal = sandbox.journal else { return nil }
        self.sandbox = sandbox
        self.token = token
        self.journal = journal
    }

    func answer(_ call: IncomingCall) -> Answer {
        guard Self.equal(call.bearerToken ?? "", token) else {
            return Self.json(
                401, ["error": "The control surface needs its token as 'Authorization: Bearer …'."])
        }
        do throws(ControlFailure) {
            let rest = Array(call.segments.dropFirst())
            switch (rest.first, rest.count) {
            case ("tenants", 1): return try tenants(call)
            case ("tenants", 2): return try tenant(call, rest[1])
            case ("tenants", 3) where rest[2] == "churn": return try churn(call, rest[1])
            case ("tenants", 3) where rest[2] == "tokens": return tokens(call, rest[1])
            case ("tenants", 3...) where rest[2] == "entities":
                return try EntityControl(sandbox: sandbox, tenant: rest[1]).answer(call, rest.dropFirst(3))
            case ("faults", 1): return try faults(call)
            case ("faults", 2): return fault(call, rest[1])
            case ("journal", 1): return try journal(call)
            case ("roles", 1): return roles(call)
            default: return Self.notFound
            }
        } catch {
            return Self.json(400, ["error": .string(error.message)])
        }
    }

    /// Compares without giving away by its duration how much was right.
    private static func equal(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return zip(left.utf8, right.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    // MARK: Tenants

    private func tenants(_ call: IncomingCall) throws(ControlFailure) -> Answer {
        switch call.method {
        case "GET":
            let all = sandbox.tenants.all.map { $0.json(seed: sandbox.tenants.seed) }
            return Self.json(200, ["tenants": .array(all)])
        case "POST":
            var body = try ControlBody(call.body)
            let tenant = try Tenant(&body)
            guard sandbox.tenants.add(tenant) else {
                return Self.json(409, ["error": "There is such a tenant already, or there are too many."])
            }
            return Self.json(201, tenant.json(seed: sandbox.tenants.seed))
        default: return Self.notAllowed("GET, POST")
        }
    }

    private func tenant(_ call: IncomingCall, _ id: String) throws(ControlFailure) -> Answer {
        switch call.method {
        case "GET":
            return sandbox.tenants[id].map { Self.json(200, $0.json(seed: sandbox.tenants.seed)) }
                ?? Self.notFound
        case "PUT":
            let body = try ControlBody(call.body)
            let result = sandbox.tenants.update(id) { tenant in
                var changed = tenant
                let outcome = Result { () throws(ControlFailure) in try changed.change(body) }
                if case .success = outcome { tenant = changed }
                return outcome
            }
            guard let result else { return Self.notFound }
            try result.get()
            return sandbox.tenants[id].map { Self.json(200, $0.json(seed: sandbox.tenants.seed)) }
                ?? Self.notFound
        case "DELETE": return sandbox.tenants.remove(id) ? Answer(status: 204) : Self.notFound
        default: return Self.notAllowed("GET, PUT, DELETE")
        }
    }

    private func churn(_ call: IncomingCall, _ id: String) throws(ControlFailure) -> Answer {
        guard call.method == "POST" else { return Self.notAllowed("POST") }
        var body = try ControlBody(call.body)
        let churn = try Churn(&body)
        try body.refuseUnread()
        let seed = sandbox.tenants.seed
        let changed = sandbox.tenants.update(id) { tenant in
            let draws = DeviceGenerator(seed: seed, tenant: tenant).draws
            tenant.roster.churn(churn, around: nil, draws: draws)
            return tenant
        }
        return changed.map { Self.json(200, $0.json(seed: seed)) } ?? Self.notFound
    }

    private func tokens(_ call: IncomingCall, _ id: String) -> Answer {
        guard call.method == "DELETE" else { return Self.notAllowed("DELETE") }
        return sandbox.revokeTokens(of: id) ? Answer(status: 204) : Self.notFound
    }

    // MARK: Faults

    private func faults(_ call: IncomingCall) throws(ControlFailure) -> Answer {
        let now = SandboxClock.monotonicNanoseconds()
        switch call.method {
        case "GET":
            return Self.json(200, ["faults": .array(sandbox.faults.all.map { $0.json(now: now) })])
        case "POST":
            var body = try ControlBody(call.body)
            let fault = try Fault(&body, now: now)
            guard let armed = sandbox.faults.arm(fault) else {
                return Self.json(
                    409, ["error": "Too many faults are armed. DELETE /_sandbox/faults clears them."])
            }
            return Self.json(201, armed.json(now: now))
        case "DELETE":
            sandbox.faults.disarmAll()
            return Answer(status: 204)
        default: return Self.notAllowed("GET, POST, DELETE")
        }
    }

    private func fault(_ call: IncomingCall, _ id: String) -> Answer {
        let now = SandboxClock.monotonicNanoseconds()
        guard let id = Int(id) else { return Self.notFound }
        switch call.method {
        case "GET":
            let found = sandbox.faults.all.first { $0.id == id }
            return found.map { Self.json(200, $0.json(now: now)) } ?? Self.notFound
        case "DELETE": return sandbox.faults.disarm(id) ? Answer(status: 204) : Self.notFound
        default: return Self.notAllowed("GET, DELETE")
        }
    }

    // MARK: Journal and roles

    private func journal(_ call: IncomingCall) throws(ControlFailure) -> Answer {
        switch call.method {
        case "GET":
            let (entries, next, last) = journal.entries(try Journal.Filter(call.query))
            var text = JSONText(reserving: entries.count * 256 + 64)
            text.raw("{\"entries\":[")
            for entry in entries {
                entry.write(to: &text)
                text.byte(",")
            }
            text.dropTrailingComma()
            text.raw("],\"next\":\(next),\"last\":\(last)}")
            return Answer(status: 200, contentType: "application/json", body: text.bytes)
        case "DELETE":
            journal.clear()
            return Answer(status: 204)
        default: return Self.notAllowed("GET, DELETE")
        }
    }

    private func roles(_ call: IncomingCall) -> Answer {
        guard call.method == "GET" else { return Self.notAllowed("GET") }
        let roles = AppRole.all.values.sorted { $0.name < $1.name }.map { role -> JSON in
            ["name": .string(role.name), "id": .string(role.id.description)]
        }
        return Self.json(200, ["roles": .array(roles)])
    }

    static func json(_ status: Int, _ body: JSON) -> Answer {
        Answer(status: status, contentType: "application/json", body: body.bytes)
    }

    static let notFound = json(404, ["error": "There is nothing here."])

    static func notAllowed(_ methods: String) -> Answer {
        var answer = json(405, ["error": .string("Use \(methods).")])
        answer.add(.allow, methods)
        return answer
    }
}

extension Journal.Filter {
    /// Reads `since`, `tenant`, `path`, `method` and `limit`.
    fileprivate init(_ query: QueryString) throws(ControlFailure) {
        for option in query.options {
            switch option.name {
            case "since": since = try Self.number(option, 0...Int.max)
            case "limit": limit = try Self.number(option, 0...Self.largest)
            case "tenant": tenant = option.value.lowercased()
            case "method": method = option.value.uppercased()
            case "writes": writes = option.value == "true"
            case "path": path = PathPattern(option.value)
            default: throw ControlFailure("Use since, limit, tenant, method, path and writes.")
            }
        }
    }

    private static func number(
        _ option: QueryString.Option, _ range: ClosedRange<Int>
    ) throws(ControlFailure) -> Int {
        guard let number = Int(option.value), range.contains(number) else {
            throw ControlFailure(
                "'\(option.name)' must be a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }
}
