import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Operations
import ServiceKit
import Store

/// Signing in and out.
struct SignInPages: Sendable {
    /// Nil where nobody signs in with a password.
    let password: PasswordSignIn?
    /// Nil where there is no identity provider.
    let openID: OpenIDSignIn?
    let sessions: Sessions
    let lifetime: Sessions.Lifetime
    let cookies: Cookies
    let frames: Frames

    /// What the template reads.
    private struct View: Sendable {
        let back: String
        let login: String
        let problem: String?
        let takesPassword: Bool
        /// Where the organisation's sign-in begins; nil without one.
        let openID: String?
    }

    /// The page that asks who somebody is, and then leads back to `path`.
    func address(backTo path: String?) -> String {
        guard let path, path != SitePage.Section.overview.href else { return Self.start }
        return "\(Self.start)?back=\(path.urlEncoded)"
    }

    /// Whether a path is one of signing in.
    static func isOwn(_ path: String) -> Bool { path == start || path == openIDStart || path == openIDEnd }

    private static let start = "/sign-in"
    private static let openIDStart = "/sign-in/openid"
    /// Where the identity provider sends people back to.
    static let openIDEnd = "/sign-in/callback"

    func reply(to request: Request, from place: String, now: Date) async throws -> Reply {
        if request.uri.path != Self.start {
            guard let openID, request.method == .get else { throw Fault.notFound }
            return try await reply(to: request, openID, now)
        }
        switch request.method {
        case .get, .head:
            return page(.ok, back: FormBody(request.uri.query ?? "")["back"])
        case .post: return try await attempt(Visit.form(request), from: place)
        default: throw Fault.notFound
        }
    }

    private func reply(to request: Request, _ openID: OpenIDSignIn, _ now: Date) async throws -> Reply {
        if request.uri.path == Self.openIDStart {
            do {
                return try await openID.begin(FormBody(request.uri.query ?? ""))
            } catch let failure as OpenIDProvider.Failure {
                return page(.serviceUnavailable, back: nil, problem: OpenIDSignIn.words(failure))
            }
        }
        let reply =
            switch try await openID.end(request, now: now) {
            case .person(let user, let back): try await begin(user, .openID, backTo: back)
            case .problem(let words): page(.forbidden, back: nil, problem: words)
            }
        return reply.setting(cookies.setting(.flow, to: nil))
    }

    private func attempt(_ form: FormBody, from place: String) async throws -> Reply {
        guard let password else { throw Fault.notFound }
        let login = form["login"] ?? ""
        let result = try await password.attempt(
            login: login, password: form.verbatim("password") ?? "", from: place)
        switch result {
        case .person(let user): return try await begin(user, .password, backTo: form["back"])
        case .refused:
            return page(
                .unauthorized, back: form["back"], login: login,
                problem: "Login and password don't belong together. Check both and try again.")
        case .tooMany(let seconds):
            return page(
                .tooManyRequests, back: form["back"], login: login,
                problem: "There were too many attempts. Try again in \(Presentation.length(Double(seconds)))."
            )
        }
    }

    /// Every sign-in begins a session of its own: what was known before it is of no use.
    private func begin(_ user: UserID, _ proof: Sessions.Proof, backTo path: String?) async throws -> Reply {
        let token = BearerToken.random()
        try await sessions.begin(for: user, hash: token.hash, lifetime: lifetime, proof: proof)
        return Reply.seeOther(Link.local(path) ?? SitePage.Section.overview.href)
            .setting(cookies.setting(.session, to: token.reveal()))
    }

    func end(_ visit: Visit) async throws -> Reply {
        try await sessions.end(visit.principal.tokenID)
        return Reply.seeOther(Self.start).setting(cookies.setting(.session, to: nil))
    }

    private func page(
        _ status: HTTPResponse.Status, back: String?, login: String = "", problem: String? = nil
    ) -> Reply {
        let path = Link.local(back)
        let view = View(
            back: path ?? "", login: login, problem: problem, takesPassword: password != nil,
            openID: openID.map { _ in Self.openIDStart + (path.map { "?back=\($0.urlEncoded)" } ?? "") })
        return .html(
            status,
            frames.render(
                outside: SitePage(template: "sign-in", title: "Sign in", section: nil, content: view)))
    }
}
