import Curl
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JSON
import Logging
import Operations
import Postgres
import ServiceKit
import Store

/// The console: takes each request from its session to its page.
struct Site: Sendable {
    private let settings: ConsoleSettings
    private let logger: Logger
    private let principals: Principals
    private let cookies: Cookies
    private let origin: OriginCheck
    private let assets = Assets()
    private let frames: Frames
    private let live: LivePages
    private let signIn: SignInPages
    private let overview: OverviewPage
    private let operations: OperationsPage
    private let run: RunPage
    private let runItems: RunItemsPage
    private let runChanges: RunChanges
    private let places: PlacePages
    let backups: BackupPages
    let management: ManagementPages
    let notifications: NotificationPages
    let news: News
    let deadLetters: DeadLetterPage
    private let views: ViewChanges
    let bulk: BulkPages
    let schedules: SchedulePages

    /// `client` is what the identity provider is asked with. Throws when a template can't be read.
    init(
        pool: PostgresPool, starter: StarterClient, client: CurlClient, settings: ConsoleSettings,
        logger: Logger
    ) throws {
        self.settings = settings
        self.logger = logger
        let access = AccessReading(pool: pool)
        let tenants = TenantReading(pool: pool)
        let reading = RunReading(pool: pool)
        let accounts = LocalAccounts(pool: pool)
        principals = Principals(pool: pool)
        let cookies = Cookies(isSecure: settings.isSecure)
        self.cookies = cookies
        origin = OriginCheck(publicURL: settings.publicURL)
        frames = try Frames(assets: assets)
        let stream = EventStream(principals: principals)
        news = News(inbox: Inbox(pool: pool), access: access, stream: stream, frames: frames)
        live = LivePages(stream: stream, frames: frames, news: news)
        signIn = SignInPages(
            password: settings.allowsPasswords
                ? PasswordSignIn(accounts: accounts, attempts: SignInAttempts(pool: pool)) : nil,
            openID: settings.openID.map { openID in
                OpenIDSignIn(
                    provider: OpenIDProvider(
                        openID, redirect: settings.publicURL + SignInPages.openIDEnd, client: client),
                    accounts: accounts, cookies: cookies)
            },
            sessions: Sessions(pool: pool, makeID: UUID.timeOrdered), lifetime: settings.session,
            cookies: cookies, frames: frames)
        overview = OverviewPage(pool: pool, access: access)
        operations = OperationsPage(
            runs: reading, tenants: tenants, views: SavedViews(pool: pool), access: access)
        views = ViewChanges(views: SavedViews(pool: pool), starter: starter)
        run = RunPage(runs: reading, backups: BackupReading(pool: pool), access: access)
        runItems = RunItemsPage(runs: reading, ledger: Ledger(pool: pool), access: access)
        runChanges = RunChanges(runs: reading, access: access, starter: starter, operations: operations)
        places = PlacePages(
            tenants: tenants, runs: reading, freezes: FreezeReading(pool: pool), access: access)
        backups = BackupPages(pool: pool, starter: starter)
        management = ManagementPages(pool: pool, starter: starter)
        notifications = NotificationPages(pool: pool, starter: starter)
        deadLetters = DeadLetterPage(
            letters: DeadLetterReading(pool: pool), access: access, starter: starter)
        bulk = BulkPages(pool: pool, starter: starter)
        schedules = SchedulePages(pool: pool, starter: starter)
    }

    /// Answers a request that comes from `address`. Never throws: whatever goes wrong is a page, too.
    func respond(to request: Request, from address: String) async -> Response {
        let requestID = Hex.random(16)
        let reply: Reply
        do {
            reply = try await self.reply(to: request, from: place(of: request, address), requestID)
        } catch {
            reply = await fault(error, nil, requestID)
        }
        return reply.response(requestID: requestID, isSecure: settings.isSecure)
    }

    private func reply(to request: Request, from place: String, _ requestID: String) async throws -> Reply {
        let path = request.uri.path
        if let asset = assets.reply(path) { return asset }
        if path == "/" { return .seeOther(SitePage.Section.overview.href) }
        if path == "/csp-report" { return try await noted(request) }
        guard [.get, .head].contains(request.method) || origin.passes(request.headers) else {
            throw Fault.badForm
        }
        if SignInPages.isOwn(path) { return try await signIn.reply(to: request, from: place, now: Date()) }
        guard let visit = try await visit(request) else {
            return .seeOther(signIn.address(backTo: request.method == .get ? request.uri.string : nil))
        }
        do {
            return try await reply(to: visit)
        } catch {
            return await fault(error, visit, requestID)
        }
    }

    /// The visitor of a request; nil for somebody who is not signed in.
    private func visit(_ request: Request) async throws -> Visit? {
        guard let secret = cookies.value(.session, in: request.headers), let token = BearerToken(secret),
            let principal = try await principals.authenticate(hash: token.hash), principal.kind == .person
        else { return nil }
        return Visit(principal, secret: secret, request, now: Date())
    }

    private func reply(to visit: Visit) async throws -> Reply {
        guard let route = Route(visit.request.method, path: visit.request.uri.path) else {
            throw Fault.notFound
        }
        switch route {
        case .overview: return try await show(visit, overview.show)
        case .operations:
            if let run = operations.soughtRun(visit) { return .seeOther(Link.run(run)) }
            return try await show(visit, operations.show)
        case .operationsFile(let format): return try await operations.export(format, visit)
        case .run(let id): return try await show(visit) { try await run.show(id, $0) }
        case .runItems(let id): return try await show(visit) { try await runItems.show(id, $0) }
        case .tenants: return try await show(visit, places.tenantList)
        case .connections: return try await show(visit, places.connectionList)
        case .connection(let id): return try await show(visit) { try await places.connection(id, $0) }
        case .me: return try await show(visit, management.me.show)
        case .backups(let route): return try await reply(to: route, visit)
        case .management(let route): return try await reply(to: route, visit)
        case .notifications(let route): return try await reply(to: route, visit)
        case .deadLetters(let route): return try await reply(to: route, visit)
        case .bulk(let route): return try await reply(to: route, visit)
        case .schedules(let route): return try await reply(to: route, visit)
        case .start: return try await changed(visit, runChanges.start)
        case .cancel(let id): return try await changed(visit) { try await runChanges.cancel(id, $0, $1) }
        case .retry(let id): return try await changed(visit) { try await runChanges.retry(id, $0, $1) }
        case .changeRuns: return try await changeRuns(visit)
        case .changeViews: return try await changed(visit, views.change)
        case .signOut:
            _ = try await visit.form()
            return try await signIn.end(visit)
        case .theme: return try await theme(visit)
        }
    }

    /// A page, or, to a browser that listens, the page's changes.
    func show(
        _ visit: Visit, _ make: @escaping @Sendable (Visit) async throws -> SitePage
    ) async throws -> Reply {
        let page = try await make(visit)
        if page.isLive, visit.request.headers[.accept] == "text/event-stream" {
            return live.stream(visit, page, again: make)
        }
        return await framed(.ok, page, visit)
    }

    private func framed(
        _ status: HTTPResponse.Status, _ page: SitePage, _ visit: Visit
    ) async -> Reply {
        let headers = visit.request.headers
        let notice = cookies.value(.notice, in: headers).flatMap(visit.seal.opened).flatMap(Notice.init)
        let html = frames.render(
            page, for: visit, notice: notice, theme: Theme(cookies.value(.theme, in: headers)),
            unread: try? await news.unread(visit))
        let reply = Reply.html(status, html)
        return notice == nil ? reply : reply.setting(cookies.setting(.notice, to: nil))
    }

    /// Something was done: tells it on the page where the person came from.
    func changed(
        _ visit: Visit, _ change: (FormBody, Visit) async throws -> Outcome
    ) async throws -> Reply {
        told(try await change(visit.form(), visit), visit)
    }

    private func told(_ outcome: Outcome, _ visit: Visit) -> Reply {
        let reply = Reply.seeOther(outcome.path)
        guard let notice = outcome.notice else { return reply }
        return reply.setting(
            cookies.setting(.notice, to: visit.seal.signed(notice.json.text), seconds: 60))
    }

    /// A form that may ask back, or has to be filled in again.
    func answered(
        _ visit: Visit, _ answer: (FormBody, Visit) async throws -> FormAnswer
    ) async throws -> Reply {
        switch try await answer(visit.form(), visit) {
        case .done(let outcome): told(outcome, visit)
        case .page(let page): await framed(.ok, page, visit)
        case .again(let page): await framed(.unprocessableContent, page, visit)
        }
    }

    private func changeRuns(_ visit: Visit) async throws -> Reply {
        let form = try await visit.form()
        guard form["confirm"] == "yes" else {
            return await framed(.ok, try await runChanges.preview(form, visit), visit)
        }
        return try await changed(visit) { _, _ in try await runChanges.apply(form, visit) }
    }

    private func theme(_ visit: Visit) async throws -> Reply {
        let form = try await visit.form()
        let theme = Theme(form["theme"])
        return Reply.seeOther(Link.local(form["back"]) ?? SitePage.Section.overview.href).setting(
            cookies.setting(.theme, to: theme == .system ? nil : theme.rawValue, seconds: 31_536_000))
    }

    private func fault(_ error: any Error, _ visit: Visit?, _ requestID: String) async -> Reply {
        let fault = Fault(error, requestID: requestID)
        if fault.status.kind == .serverError {
            logger.error(
                "a page failed", error: error,
                metadata: ["request_id": .string(requestID), "status": .stringConvertible(fault.status.code)])
        }
        let page = SitePage(template: "fault", title: fault.title, section: nil, content: fault)
        guard let visit else { return .html(fault.status, frames.render(outside: page)) }
        return await framed(fault.status, page, visit)
    }

    /// A browser tells that a page tried something that its policy forbids.
    private func noted(_ request: Request) async throws -> Reply {
        let report = try? await request.body.collect(upTo: 16 * 1024)
        logger.warning(
            "a browser reported a violation of the pages' policy",
            metadata: ["bytes": .stringConvertible(report?.readableBytes ?? 0)])
        return Reply(status: .noContent)
    }

    /// Where a request comes from, as far as it can be known.
    private func place(of request: Request, _ address: String) -> String {
        guard settings.trustsProxy,
            let forwarded = request.headers[HTTPField.Name("X-Forwarded-For")!]?.split(separator: ",").last
        else { return address }
        return forwarded.trimmed
    }
}

/// What came of a change: where to look, and what to say there.
struct Outcome: Sendable {
    let path: String
    /// Nil when the page says it itself.
    let notice: Notice?
}
