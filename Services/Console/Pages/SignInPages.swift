import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Operations
import ServiceKit
import Store

/// Signing in and out.
struct SignInPages: Sendable {
    let password: PasswordSignIn
    let sessions: Sessions
    let lifetime: Sessions.Lifetime
    let cookies: Cookies
    let frames: Frames

    /// What the template reads.
    private struct View: Sendable {
        let back: String
        let login: String
        let problem: String?
    }

    /// The page that asks who somebody is, and then leads back to `path`.
    func address(backTo path: String?) -> String {
        guard let path, path != SitePage.Section.overview.href else { return "/sign-in" }
        return "/sign-in?back=\(path.urlEncoded)"
    }

    func reply(to request: Request, from place: String) async throws -> Reply {
        switch request.method {
        case .get, .head:
            return page(.ok, back: FormBody(request.uri.query ?? "")["back"])
        case .post: return try await attempt(Visit.form(request), from: place)
        default: throw Fault.notFound
        }
    }

    private func attempt(_ form: FormBody, from place: String) async throws -> Reply {
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
        return Reply.seeOther("/sign-in").setting(cookies.setting(.session, to: nil))
    }

    private func page(
        _ status: HTTPResponse.Status, back: String?, login: String = "", problem: String? = nil
    ) -> Reply {
        let view = View(back: Link.local(back) ?? "", login: login, problem: problem)
        return .html(
            status,
            frames.render(
                outside: SitePage(template: "sign-in", title: "Sign in", section: nil, content: view)))
    }
}
