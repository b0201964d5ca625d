import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import Operations
import Postgres
import Sealing
import ServiceKit
import Store

/// The HTTP API: takes each request from its token to its answer.
struct StarterAPI: Sendable {
    /// What the door at the broker shares with this one.
    let principals: Principals
    let rateLimit: RateLimit?
    let start: StartRoute
    private let figures: APIFigures?
    private let logger: Logger
    private let dryRun: DryRunRoute
    private let runs: RunRoutes
    private let schedules: ScheduleRoutes
    private let places: PlaceRoutes
    private let access: AccessRoutes
    private let users: UserRoutes
    private let backups: BackupRoutes
    private let groups: GroupRoutes
    private let connections: ConnectionRoutes
    private let credential: CredentialRoute
    private let tokens: TokenRoutes
    private let audit: AuditRoutes
    private let webhooks: WebhookRoutes
    private let deliveries: DeliveryRoutes
    private let email: EmailRoutes
    private let inbox: InboxRoutes
    private let views: ViewRoutes
    private let deadLetters: DeadLetterRoutes

    /// - Parameters:
    ///   - families: those whose consumers are deployed; what the others do can't be started.
    ///   - outboxLeaseSeconds: how long a committed message belongs to this process.
    ///   - rateLimit: nil for none.
    ///   - credentialKey: what credentials are sealed to; nil where none can be set.
    ///   - webhooks: what webhooks are sealed with; nil when none can be made here.
    ///   - makeID: makes ids in the order of time.
    ///   - publish: takes messages whose rows are committed. It must not wait.
    init(
        pool: PostgresPool, families: Set<OperationFamily>, outboxLeaseSeconds: Double,
        rateLimit: RateLimit?, credentialKey: SealingPublicKey? = nil, figures: APIFigures? = nil,
        webhooks: WebhookSealing? = nil, logger: Logger,
        makeID: @escaping @Sendable () -> UUID, publish: @escaping @Sendable ([PendingMessage]) -> Void
    ) {
        let reading = RunReading(pool: pool)
        let accessReading = AccessReading(pool: pool)
        principals = Principals(pool: pool)
        self.rateLimit = rateLimit
        self.figures = figures
        self.logger = logger
        start = StartRoute(
            starts: StartService(
                pool: pool, families: families, outboxLeaseSeconds: outboxLeaseSeconds, makeID: makeID),
            runs: reading, access: accessReading, publish: publish)
        dryRun = DryRunRoute(division: RunDivision(pool: pool), access: accessReading)
        runs = RunRoutes(
            runs: reading, ledger: Ledger(pool: pool), access: accessReading,
            cancellation: RunCancellation(pool: pool, outboxLeaseSeconds: outboxLeaseSeconds),
            publish: publish)
        schedules = ScheduleRoutes(
            schedules: Schedules(pool: pool, makeID: makeID), access: accessReading, families: families)
        places = PlaceRoutes(tenants: TenantReading(pool: pool), access: accessReading)
        users = UserRoutes(users: UserReading(pool: pool), access: accessReading)
        backups = BackupRoutes(backups: BackupReading(pool: pool), access: accessReading)
        groups = GroupRoutes(directory: DirectoryReading(pool: pool), access: accessReading)
        connections = ConnectionRoutes(
            changes: ConnectionChanges(pool: pool, makeID: makeID), tenants: TenantReading(pool: pool),
            access: accessReading)
        credential = CredentialRoute(
            changes: CredentialChanges(pool: pool), tenants: TenantReading(pool: pool), access: accessReading,
            key: credentialKey)
        tokens = TokenRoutes(
            principals: principals, tokens: TokenReading(pool: pool), access: accessReading, makeID: makeID)
        audit = AuditRoutes(audit: AuditReading(pool: pool), access: accessReading)
        self.webhooks = WebhookRoutes(
            webhooks: Webhooks(pool: pool), access: accessReading, sealing: webhooks)
        deliveries = DeliveryRoutes(deliveries: DeliveryReading(pool: pool), access: accessReading)
        email = EmailRoutes(settings: EmailSettings(pool: pool))
        inbox = InboxRoutes(inbox: Inbox(pool: pool), access: accessReading)
        views = ViewRoutes(views: SavedViews(pool: pool), makeID: makeID)
        deadLetters = DeadLetterRoutes(letters: DeadLetterReading(pool: pool), access: accessReading)
        access = AccessRoutes(
            changes: AuthorityChanges(pool: pool, makeID: makeID), preview: AuthorityPreview(pool: pool),
            access: accessReading)
    }

    /// Answers a request. Never throws: whatever goes wrong is an answer, too.
    func respond(to request: Request) async -> Response {
        let begin = ContinuousClock.now
        let requestID = Hex.random(16)
        var route: Route?
        let answer: Answer
        do {
            answer = try await self.answer(request, &route)
        } catch {
            let problem = Problem(error)
            if problem.status.kind == .serverError { log(error, problem.status, route, requestID) }
            answer = problem.answer
        }
        figures?.count(route, answer.status, ContinuousClock.now - begin)
        return answer.response(requestID: requestID)
    }

    /// The caller is known before anything is said about what there is.
    private func answer(_ request: Request, _ route: inout Route?) async throws -> Answer {
        try RequestLimits.check(request)
        let caller = try await authenticate(request)
        if let seconds = rateLimit?.take(caller.tokenID) {
            throw Problem.tooManyRequests(retryAfter: seconds)
        }
        let found = try Route(request.method, path: request.uri.path)
        route = found
        return try await answer(found, Call(caller: caller, request: request))
    }

    private func authenticate(_ request: Request) async throws -> Principal {
        guard let token = request.headers[.authorization].flatMap(BearerToken.init(authorization:)),
            let principal = try await principals.authenticate(hash: token.hash)
        else { throw Problem.unauthorized }
        return principal
    }

    private func answer(_ route: Route, _ call: Call) async throws -> Answer {
        switch route {
        case .startRun: try await start.start(call)
        case .dryRun: try await dryRun.answer(call)
        case .listRuns: try await runs.list(call)
        case .run(let id): try await runs.show(id, call)
        case .explanation(let id): try await runs.explain(id, call)
        case .items(let id): try await runs.items(id, call)
        case .cancel(let id): try await runs.cancel(id, call)
        case .retry(let id): try await start.retry(id, call)
        case .createSchedule: try await schedules.create(call)
        case .listSchedules: try await schedules.list(call)
        case .schedule(let id): try await schedules.show(id, call)
        case .removeSchedule(let id): try await schedules.remove(id, call)
        case .pauseSchedule(let id): try await schedules.pause(id, call)
        case .resumeSchedule(let id): try await schedules.resume(id, call)
        case .me: try await places.me(call)
        case .audit: try await audit.list(call)
        case .tenants: try await places.list(call)
        case .connections: try await connections.list(call)
        case .createConnection(let tenant): try await connections.create(in: tenant, call)
        case .connection(let id): try await connections.show(id, call)
        case .editConnection(let id): try await connections.edit(id, call)
        case .connectionDefault(let id): try await connections.makeDefault(id, call)
        case .credential(let id): try await credential.set(id, call)
        case .createToken: try await tokens.create(call)
        case .tokens: try await tokens.list(call)
        case .revokeToken(let id): try await tokens.revoke(id, call)
        case .notifications: try await inbox.list(call)
        case .readNotifications: try await inbox.markRead(call)
        case .listViews: try await views.list(call)
        case .keepView: try await views.keep(call)
        case .removeView(let id): try await views.remove(id, call)
        case .listDeadLetters: try await deadLetters.list(call)
        case .redriveDeadLetter(let id): try await deadLetters.redrive(id, call)
        case .dropDeadLetter(let id): try await deadLetters.drop(id, call)
        case .users: try await users.list(call)
        case .backups(let tenant): try await backups.list(tenant, call)
        case .backup(let id): try await backups.show(id, call)
        case .groups(let tenant): try await groups.list(tenant, call)
        case .grant: try await access.grant(call)
        case .revoke: try await access.revoke(call)
        case .changeRole: try await access.changeRole(call)
        case .disableUser(let id): try await access.disable(id, call)
        case .enableUser(let id): try await access.enable(id, call)
        case .operability(let id): try await access.setOperability(id, call)
        case .writeGate(let id): try await access.setWriteGate(id, call)
        case .connectionEnabled(let id): try await access.setEnabled(id, call)
        case .freeze: try await access.freeze(call)
        case .liftFreeze: try await access.liftFreeze(call)
        case .createWebhook: try await webhooks.create(call)
        case .listWebhooks: try await webhooks.list(call)
        case .webhook(let id): try await webhooks.show(id, call)
        case .removeWebhook(let id): try await webhooks.remove(id, call)
        case .rotateWebhook(let id): try await webhooks.rotate(id, call)
        case .enableWebhook(let id): try await webhooks.setEnabled(id, true, call)
        case .disableWebhook(let id): try await webhooks.setEnabled(id, false, call)
        case .listDeliveries: try await deliveries.list(call)
        case .delivery(let id): try await deliveries.show(id, call)
        case .redeliver(let id): try await deliveries.redeliver(id, call)
        case .email: try await email.show(call)
        case .setEmail: try await email.set(call)
        case .removeEmail: try await email.remove(call)
        }
    }

    /// Neither the request's headers nor its body: they hold the token, and what a person typed.
    private func log(
        _ error: any Error, _ status: HTTPResponse.Status, _ route: Route?, _ requestID: String
    ) {
        logger.error(
            "a request failed", error: error,
            metadata: [
                "status": "\(status.code)", "route": "\(route?.template ?? "none")",
                "request_id": "\(requestID)",
            ])
    }
}
