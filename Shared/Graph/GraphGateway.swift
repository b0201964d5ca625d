internal import Credentials
package import Curl
internal import FoundationEssentials
internal import JSON
package import Logging
package import Operations
package import Sealing
internal import ServiceKit
package import Store
internal import Synchronization

/// The one door to the provider: the only code that opens credentials, and the only code that makes HTTP
/// requests to Microsoft. Each request consumes a call permit (H3).
package final class GraphGateway: Sendable {
    /// How long calls may take.
    package struct Limits: Sendable {
        /// From asking for the permit until the last byte of the answer. A revoke waits for as long.
        package var call: Duration
        /// The same for a token.
        package var token: Duration

        package init(call: Duration = .seconds(30), token: Duration = .seconds(15)) {
            self.call = call
            self.token = token
        }
    }

    /// How long before its permit's deadline a call ends at the latest: time to close the permit, so that a
    /// revoke finds it closed and not in doubt.
    private static let margin = Duration.seconds(1)
    /// The largest answer of the token endpoint, in bytes.
    private static let tokenBodyLimit = 256 * 1_024

    let tokens = TokenCache()
    let pacing = CallPacing()
    /// How long its calls may take.
    package let limits: Limits
    let random: @Sendable () -> Double
    private let http: CurlClient
    private let permits: CallPermits
    private let connections: ProviderConnections
    private let credentials: CredentialManager
    private let sandbox: Origin?
    private let logger: Logger
    private let lastSerial = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - http: carries the requests; its name is the `User-Agent`.
    ///   - opener: holds the private keys that credentials are sealed to.
    ///   - sandbox: where the sandbox answers, if this service may use one.
    ///   - random: gives numbers in 0..<1, which spread repeated calls.
    package init(
        http: CurlClient, permits: CallPermits, connections: ProviderConnections, opener: Opener,
        sandbox: Origin?, limits: Limits = Limits(), logger: Logger, random: @escaping @Sendable () -> Double
    ) {
        self.http = http
        self.permits = permits
        self.connections = connections
        credentials = CredentialManager(opener: opener)
        self.sandbox = sandbox
        self.limits = limits
        self.logger = logger
        self.random = random
    }

    /// Opens what a run needs to call its connection's tenant. Nothing is called yet.
    ///
    /// Throws ``GraphFailure`` when the connection can't be used, or the database's error.
    package func session(under permit: ExecutionPermit) async throws -> GraphSession {
        let connection = try await connection(of: permit)
        guard let cloud = Cloud(stored: connection.cloud, sandbox: sandbox) else {
            throw GraphFailure(.internalError, call: Self.preparing, code: "cloud_not_configured")
        }
        return GraphSession(
            gateway: self, permit: permit, connection: connection, cloud: cloud,
            credential: try credentials.credential(of: connection))
    }

    /// The credential that the run's connection has now. Throws as ``session(under:)``.
    func credential(under permit: ExecutionPermit) async throws -> OpenCredential {
        try credentials.credential(of: await connection(of: permit))
    }

    private static let preparing = "preparing the connection"

    private func connection(of permit: ExecutionPermit) async throws -> ProviderConnection {
        let run = permit.execution
        guard let connection = try await connections.find(run.connectionID, of: run.tenantID) else {
            throw GraphFailure(.internalError, call: Self.preparing, code: "connection_missing")
        }
        guard connection.entraTenantID == run.context?.entraTenantID else {
            throw GraphFailure(.tenantMismatch, call: Self.preparing, code: "connection_scope_changed")
        }
        return connection
    }

    /// Asks for leave to make one call with the connection's credential of that version, or with a token that it
    /// brought. Throws ``CallRefusal``, ``CredentialReplaced`` when another one holds, or the database's error.
    private func leave(
        under permit: ExecutionPermit, call: String, timeLimit: Duration, credential version: Int
    ) async throws -> CallPermit {
        let leave = try await permits.open(under: permit, call: call, timeLimit: timeLimit)
        guard leave.credentialVersion == version else {
            await close(leave.id, status: nil)
            throw CredentialReplaced()
        }
        return leave
    }

    /// One HTTP request, and nothing else sends one. It takes place within the permit's time. The permit is closed
    /// when nothing of the call is on the wire any more; a request that was sent and not answered may still
    /// arrive, so its permit stays open until its deadline. Throws ``GraphFailure``, or `CancellationError`.
    private func send(
        _ request: HTTPRequest, call: String, permit: consuming CallPermit, isWrite: Bool = false
    ) async throws -> HTTPResponse {
        let id = permit.id
        let run = permit.execution.runID
        let left = permit.endsBy - .now - Self.margin
        guard left > .zero else {
            await close(id, status: nil)
            throw GraphFailure(.timeout, call: call)
        }
        var request = request
        request.timeout = left
        request.headers.append(("client-request-id", "\(id)"))
        if let trace = TraceParent.current {
            // The permit's id names the call here as well.
            let span = withUnsafeBytes(of: id.uuid) { $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self) }
            request.headers.append(("traceparent", "\(trace.child(span.bigEndian))"))
        }
        let result: Result<HTTPResponse, TransferError>
        do { result = .success(try await http.perform(request)) } catch { result = .failure(error) }
        switch result {
        case .success(let response):
            await close(id, status: response.status)
            return response
        case .failure(let error):
            if !Self.mayStillArrive(error) { await close(id, status: nil) }
            let meaning = isWrite ? FailureMapping.write(error) : FailureMapping.transfer(error.kind)
            guard let failure = meaning else { throw CancellationError() }
            throw noted(GraphFailure(failure, call: call), run)
        }
    }

    /// Whether the provider may yet receive a request whose transfer has ended here.
    private static func mayStillArrive(_ error: TransferError) -> Bool {
        switch error.kind {
        case .timeout, .reset, .cancelled: error.requestMayHaveBeenSent
        // These come before anything was sent, or after the provider had begun to answer.
        default: false
        }
    }

    /// A permit that can't be closed stays open: a revoke reports the call as in doubt. The call itself is over,
    /// and what it brought is kept.
    private func close(_ id: CallID, status: Int?) async {
        for _ in 0..<2 {
            do { return try await permits.close(id, status: status) } catch {}
        }
        logger.warning("a call permit could not be closed", metadata: ["call_id": "\(id)"])
    }

    // MARK: the three kinds of calls

    /// Reads from Graph. Throws ``GraphFailure``, ``CallRefusal``, ``CredentialReplaced``, `CancellationError`, or the
    /// database's error.
    func read(
        _ target: CallTarget, with ticket: Ticket, under permit: ExecutionPermit
    ) async throws -> [UInt8] {
        let call = target.name
        let leave = try await leave(
            under: permit, call: call, timeLimit: limits.call, credential: ticket.credentialVersion)
        let response = try await send(request(target, ticket.token), call: call, permit: leave)
        guard response.status == 200 else {
            let meaning = FailureMapping.graph(status: response.status)
            throw noted(graphFailure(meaning, response, call: call), permit.execution.runID)
        }
        return response.body
    }

    /// Changes something at Graph. Throws as ``read(_:with:under:)``; `unknownOutcome` when it may have been done.
    func write(
        _ target: CallTarget, with ticket: Ticket, under permit: ExecutionPermit
    ) async throws -> (status: Int, body: [UInt8]) {
        let call = target.name
        let leave = try await leave(
            under: permit, call: call, timeLimit: limits.call, credential: ticket.credentialVersion)
        let response = try await send(
            request(target, ticket.token), call: call, permit: leave, isWrite: true)
        guard (200..<300).contains(response.status) else {
            let meaning = FailureMapping.write(status: response.status)
            throw noted(graphFailure(meaning, response, call: call), permit.execution.runID)
        }
        return (response.status, response.body)
    }

    private func request(_ target: CallTarget, _ token: AccessToken) -> HTTPRequest {
        let bearer = token.bearer.reveal { "Bearer " + String(decoding: $0, as: UTF8.self) }
        var request = HTTPRequest(
            method: target.method, url: target.url,
            headers: [("Authorization", bearer), ("Accept", "application/json")])
        if let body = target.body {
            request.headers.append(("Content-Type", "application/json"))
            request.body = body.bytes
        }
        return request
    }

    /// Asks for a new token. Throws as ``read(_:with:under:)``.
    func fetchToken(
        for account: ProviderAccount, _ credential: OpenCredential, under permit: ExecutionPermit
    ) async throws -> AccessToken {
        let path: GraphPath = "/\(account.entraTenantID)/oauth2/v2.0/token"
        let call = "POST \(path.template)"
        let leave = try await leave(
            under: permit, call: call, timeLimit: limits.token, credential: credential.version)
        let requestedAt = ContinuousClock.now
        let url = "\(account.cloud.login)\(path.text)"
        let form: [UInt8]
        do {
            form = try Self.tokenForm(account, credential.credential, endpoint: url)
        } catch {
            await close(leave.id, status: nil)
            throw GraphFailure(.credentialInvalid, call: call, code: "credential_unusable")
        }
        let request = HTTPRequest(
            method: "POST", url: url,
            headers: [
                ("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"),
            ],
            body: form, bodyLimit: Self.tokenBodyLimit)
        let response = try await send(request, call: call, permit: leave)
        guard response.status == 200 else {
            throw noted(tokenFailure(response, call: call), permit.execution.runID)
        }
        let serial = lastSerial.add(1, ordering: .relaxed).newValue
        guard let token = AccessToken(response.body, requestedAt: requestedAt, serial: serial) else {
            throw noted(GraphFailure(.malformedAnswer, call: call, httpStatus: 200), permit.execution.runID)
        }
        return token
    }

    /// `endpoint` is the address of the request: what an assertion is for.
    private static func tokenForm(
        _ account: ProviderAccount, _ credential: ProviderCredential, endpoint: String
    ) throws -> [UInt8] {
        let fields = [
            "grant_type=client_credentials", "client_id=\(URLEscaping.escape(account.clientID))",
            "scope=\(URLEscaping.escape("\(account.cloud.graph)/.default"))", "",
        ]
        let form = Array(fields.joined(separator: "&").utf8)
        switch credential {
        case .clientSecret(let secret):
            return form + Array("client_secret=".utf8) + secret.reveal(URLEscaping.escape)
        case .certificate(let certificate):
            let assertion = try certificate.assertion(
                audience: endpoint, clientID: account.clientID, id: UUID(), now: Date())
            let type = "client_assertion_type=\(URLEscaping.escape(assertionType))&client_assertion="
            return form + Array(type.utf8) + assertion.reveal(URLEscaping.escape)
        }
    }

    private static let assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    // MARK: failures

    private func graphFailure(
        _ meaning: ProviderFailure, _ response: HTTPResponse, call: String
    ) -> GraphFailure {
        failure(
            meaning, response, call: call,
            code: ErrorDocument(response.body).code, requestID: response.headers["request-id"])
    }

    private func tokenFailure(_ response: HTTPResponse, call: String) -> GraphFailure {
        let error = TokenErrorDocument(response.body)
        return failure(
            FailureMapping.token(status: response.status, error: error.error, codes: error.codes), response,
            call: call, code: error.codes.first.map { "AADSTS\($0)" } ?? Sanitiser.code(error.error),
            requestID: response.headers["x-ms-request-id"])
    }

    private func failure(
        _ failure: ProviderFailure, _ response: HTTPResponse, call: String, code: String?, requestID: String?
    ) -> GraphFailure {
        let date = response.headers["Date"]
        return GraphFailure(
            failure, call: call,
            retryAfterSeconds: RetryAfter.seconds(
                response.headers["Retry-After"], date: date, now: Date().timeIntervalSince1970),
            httpStatus: response.status, requestID: Sanitiser.guid(requestID), code: Sanitiser.code(code),
            date: Sanitiser.date(date))
    }

    private func noted(_ failure: GraphFailure, _ run: RunID) -> GraphFailure {
        logger.info(
            "a provider call failed",
            metadata: ["run_id": "\(run)", "failure": "\(failure)"])
        return failure
    }
}
