package import JSON
internal import Operations
internal import Store
internal import Synchronization

/// One call: where it goes, what it brings along, and how it is told.
struct CallTarget: Sendable {
    var method = "GET"
    let url: String
    /// The path's template.
    let template: String
    var body: JSON?

    /// The call for people: method and template.
    var name: String { "\(method) \(template)" }
}

/// A token, and which of the connection's credentials brought it.
struct Ticket: Sendable {
    let token: AccessToken
    let credentialVersion: Int
}

/// The credential that a session's calls are made with: another one as soon as a person has set one.
private final class PresentCredential: Sendable {
    private let present: Mutex<OpenCredential>

    init(_ credential: OpenCredential) { present = Mutex(credential) }

    var value: OpenCredential { present.withLock { $0 } }

    /// An earlier one never comes back.
    func replace(by credential: OpenCredential) {
        present.withLock { if credential.version > $0.version { $0 = credential } }
    }
}

/// What one attempt of a run uses to call its connection's tenant. Every call asks for leave of its own.
///
/// All functions throw ``GraphFailure`` for what the provider did, ``CallRefusal`` when leave was not given,
/// `CancellationError`, or the database's error.
package struct GraphSession: Sendable {
    let gateway: GraphGateway
    let permit: ExecutionPermit
    let cloud: Cloud
    private let account: ProviderAccount
    private let credential: PresentCredential

    init(
        gateway: GraphGateway, permit: ExecutionPermit, connection: ProviderConnection, cloud: Cloud,
        credential: OpenCredential
    ) {
        self.gateway = gateway
        self.permit = permit
        self.cloud = cloud
        self.credential = PresentCredential(credential)
        account = ProviderAccount(
            cloud: cloud, entraTenantID: connection.entraTenantID, clientID: connection.clientID)
    }

    /// The directory that the connection points to.
    package var entraTenantID: String { account.entraTenantID }
    /// The application that calls.
    package var clientID: String { account.clientID }

    // MARK: reading

    /// Reads one document.
    package func get(
        _ path: GraphPath, _ options: [(name: StaticString, value: String)] = []
    ) async throws -> JSON {
        let url = "\(cloud.graph)\(path.text)\(URLEscaping.query(options))"
        return try await read(CallTarget(url: url, template: path.template)) { $0 }
    }

    /// Asks for one document by a `POST` that changes nothing, as `directoryObjects/getByIds`. Repeated like a read.
    package func ask(_ path: GraphPath, _ body: JSON) async throws -> JSON {
        let target = CallTarget(
            method: "POST", url: "\(cloud.graph)\(path.text)", template: path.template, body: body)
        return try await read(target) { $0 }
    }

    /// Reads the first page of a collection.
    package func page(
        _ path: GraphPath, _ options: [(name: StaticString, value: String)] = []
    ) async throws -> GraphPage {
        let url = "\(cloud.graph)\(path.text)\(URLEscaping.query(options))"
        let template = path.template
        return try await read(CallTarget(url: url, template: template)) {
            (document) throws(GraphFailure) in try page(document, template)
        }
    }

    /// Reads the page that a link leads to; `path` only names the call.
    package func page(at link: NextLink, of path: GraphPath) async throws -> GraphPage {
        let template = "\(path.template) (following page)"
        return try await read(CallTarget(url: link.url, template: template)) {
            (document) throws(GraphFailure) in try page(document, template)
        }
    }

    /// A link that an earlier attempt stored; nil when it leads elsewhere than to this connection's cloud.
    package func link(stored url: String) -> NextLink? { NextLink(url, on: cloud.graph) }

    private func page(_ document: JSON, _ template: String) throws(GraphFailure) -> GraphPage {
        let malformed = GraphFailure(.malformedAnswer, call: "GET \(template)", httpStatus: 200)
        guard let items = document["value"]?.array else { throw malformed }
        switch document["@odata.nextLink"] {
        case nil, .null?: return GraphPage(items: items, next: nil)
        case let value?:
            guard let link = value.string.flatMap({ NextLink($0, on: cloud.graph) }) else { throw malformed }
            return GraphPage(items: items, next: link)
        }
    }

    // MARK: token

    /// Fetches a new token, whatever is cached, and uses it from now on. Returns what it says about itself;
    /// nil when it can't be read.
    package func renewToken() async throws -> TokenClaims? {
        TokenClaims(try await repeating { try await ticket(isFresh: true) }.token.bearer)
    }

    private func ticket(isFresh: Bool = false) async throws -> Ticket {
        let present = credential.value
        let token = try await gateway.tokens.token(for: key(present.version), isFresh: isFresh) {
            [gateway, account, permit] in
            try await gateway.fetchToken(for: account, present, under: permit)
        }
        return Ticket(token: token, credentialVersion: present.version)
    }

    private func key(_ credentialVersion: Int) -> TokenCache.Key {
        TokenCache.Key(account: account, credentialVersion: credentialVersion)
    }

    // MARK: one call, and its repetitions

    private func read<Value: Sendable>(
        _ target: CallTarget, _ interpret: (JSON) throws(GraphFailure) -> Value
    ) async throws -> Value {
        try await repeating(target) { ticket in
            let answer = try await gateway.read(target, with: ticket, under: permit)
            guard let document = try? JSON(parsing: answer), document.object != nil else {
                throw GraphFailure(.malformedAnswer, call: target.name, httpStatus: 200)
            }
            return try interpret(document)
        }
    }

    /// Makes a call with a token, in its account's turn. Repeats it with a new token when that one is refused, and as
    /// far as ``InPlaceRetry`` allows. Each try has a permit of its own.
    func repeating<Value: Sendable>(
        _ target: CallTarget, _ call: (Ticket) async throws -> Value
    ) async throws -> Value {
        var mayRenew = true
        return try await repeating {
            let ticket = try await ticket()
            do {
                return try await paced(target) { try await call(ticket) }
            } catch let failure as GraphFailure where failure.failure == .authRejected && mayRenew {
                // Once per call: a second refusal is the provider's answer.
                mayRenew = false
                await gateway.tokens.drop(ticket.token, of: key(ticket.credentialVersion))
                let renewed = try await self.ticket()
                return try await paced(target) { try await call(renewed) }
            }
        }
    }

    private func paced<Value: Sendable>(
        _ target: CallTarget, _ call: () async throws -> Value
    ) async throws -> Value {
        try await gateway.pacing.enter(account, call: target.name)
        let result: Result<Value, any Error>
        do { result = .success(try await call()) } catch { result = .failure(error) }
        await gateway.pacing.leave(account)
        return try result.get()
    }

    private func repeating<Value: Sendable>(_ call: () async throws -> Value) async throws -> Value {
        var retry = InPlaceRetry()
        while true {
            do {
                return try await call()
            } catch let failure as GraphFailure {
                guard let wait = retry.wait(after: failure, random: gateway.random()) else {
                    await hold(failure)
                    throw failure
                }
                if failure.failure == .throttled { await gateway.pacing.pause(account, seconds: wait) }
                try await Task.sleep(for: .seconds(wait))
            } catch is CredentialReplaced {
                // As often as a person sets another one: nothing was sent.
                credential.replace(by: try await gateway.credential(under: permit))
            }
        }
    }

    /// What the provider asked for holds for the account's other runs, too.
    private func hold(_ failure: GraphFailure) async {
        guard failure.failure == .throttled, let seconds = failure.retryAfterSeconds else { return }
        await gateway.pacing.pause(account, seconds: seconds)
    }
}
