import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Operations
import Store

/// Signing in at the organisation's identity provider: there and back.
struct OpenIDSignIn: Sendable {
    /// What came of it.
    enum Result: Sendable {
        case person(UserID, back: String)
        /// Why nobody was signed in, in words.
        case problem(String)
    }

    let provider: OpenIDProvider
    let accounts: LocalAccounts
    let cookies: Cookies

    /// Sends the browser there.
    func begin(_ query: FormBody) async throws -> Reply {
        let flow = OpenIDFlow(back: Link.local(query["back"]) ?? SitePage.Section.overview.href)
        return Reply.seeOther(try await provider.address(of: flow))
            .setting(cookies.setting(.flow, to: flow.cookie, seconds: OpenIDFlow.limitSeconds))
    }

    /// The browser comes back.
    func end(_ request: Request, now: Date) async throws -> Result {
        let query = FormBody(request.uri.query ?? "")
        guard let flow = cookies.value(.flow, in: request.headers).flatMap(OpenIDFlow.init(cookie:)),
            query["state"] == flow.state
        else { return .problem("This sign-in was begun elsewhere, or too long ago. Sign in again.") }
        // An answer that says which provider it is of has to be of ours (RFC 9207).
        guard query["iss"].map({ $0 == provider.settings.issuer }) ?? true else {
            return .problem("The answer is not from your organisation's sign-in. Sign in again.")
        }
        guard let code = query["code"] else {
            return .problem("Your organisation's sign-in was not completed. Sign in again.")
        }
        let subject: String
        do throws(OpenIDProvider.Failure) {
            subject = try await provider.subject(code: code, of: flow, now: now)
        } catch {
            return .problem(Self.words(error))
        }
        let issuer = provider.settings.issuer
        guard let user = try await accounts.user(issuer: issuer, subject: subject) else {
            return .problem(
                "Your organisation knows you, but you have no access here yet. Ask whoever runs this console to link"
                    + " you: issuer \(issuer), subject \(subject).")
        }
        return .person(user, back: flow.back)
    }

    static func words(_ failure: OpenIDProvider.Failure) -> String {
        switch failure {
        case .unavailable: "Your organisation's sign-in can't be reached now. Try again in a minute."
        case .refused: "Your organisation's sign-in did not accept the answer. Sign in again."
        case .token: "The answer of your organisation's sign-in is not for this sign-in. Sign in again."
        }
    }
}
