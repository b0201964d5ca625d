import FoundationEssentials
import Operations
import Store

/// What people read about a change of authority, before it and after it.
struct AuthorityWords: Sendable, Hashable {
    /// For instance «Take Omar's access to Contoso away?».
    let question: String
    /// What it does.
    let sentences: [String]
    /// What the button says.
    let button: String
    /// What was done.
    let done: String
    /// The page that it belongs to.
    let origin: String

    /// Throws ``Fault/notFound`` when something that it is about is not among the `names` that the visitor may know.
    init(_ request: AuthorityRequest, _ names: [UUID: NameReading.Named], visitor: UserID) throws {
        func name(_ id: UUID) throws -> String {
            guard let name = names[id]?.name else { throw Fault.notFound }
            return name
        }
        func place(_ tenant: TenantID?) throws -> String {
            try tenant.map { try name($0.uuid) } ?? "the whole workspace"
        }
        switch request {
        case .grant(let user, let tenant, let role):
            let (who, place) = (try name(user.uuid), try place(tenant))
            question = "Give \(who) the role \(role.rawValue) on \(place)?"
            sentences = [
                "A role on a tenant stands before the one on the whole workspace: there, \(who) may do what"
                    + " \(role.rawValue) includes, and nothing else.",
                "What \(who) has queued or running there under the role on the whole workspace is refused from then on.",
            ]
            button = "Give this role"
            done = "\(who) is \(role.rawValue) on \(place) now."
            origin = Link.person(user)
        case .changeRole(let user, let tenant, let role):
            let (who, place) = (try name(user.uuid), try place(tenant))
            question = "Make \(who) \(role.rawValue) on \(place)?"
            sentences = [Self.onSelf(user, visitor)].compactMap(\.self) + [Self.waits]
            button = "Make \(who) \(role.rawValue)"
            done = "\(who) is \(role.rawValue) on \(place) now."
            origin = Link.person(user)
        case .revoke(let user, let tenant):
            let (who, place) = (try name(user.uuid), try place(tenant))
            question = "Take \(who)'s access to \(place) away?"
            sentences =
                [Self.onSelf(user, visitor)].compactMap(\.self) + [
                    tenant == nil
                        ? "Roles that \(who) holds on single tenants stay."
                        : "A role that \(who) holds on the whole workspace stays, and holds on this tenant from then on.",
                    "What was queued under it does not come back when access is given again.", Self.waits,
                ]
            button = "Take it away"
            done = "\(who)'s access to \(place) was taken away."
            origin = Link.person(user)
        case .disable(let user):
            let who = try name(user.uuid)
            question = "Disable \(who)?"
            sentences =
                [Self.onSelf(user, visitor)].compactMap(\.self) + [
                    "\(who) is signed out everywhere, every token of \(who) is refused, and nothing that \(who)"
                        + " started goes on.", Self.waits,
                ]
            button = "Disable \(who)"
            done = "\(who) is disabled."
            origin = Link.person(user)
        case .enable(let user):
            let who = try name(user.uuid)
            question = "Let \(who) act again?"
            sentences = []
            button = "Let \(who) act again"
            done = "\(who) may act again, with the roles that are there."
            origin = Link.person(user)
        case .operability(let tenant, let operability):
            let what = try name(tenant.uuid)
            question = "Make \(what) \(operability.rawValue)?"
            sentences = [Self.sentence(operability), Self.waits]
            button = "Make it \(operability.rawValue)"
            done = "\(what) is \(operability.rawValue) now."
            origin = Link.tenant(tenant)
        case .writeGate(let tenant, let isOpen):
            let what = try name(tenant.uuid)
            question = isOpen ? "Allow changes to \(what)?" : "Close the write gate of \(what)?"
            sentences = ["Nothing changes the tenant any more; reading it goes on.", Self.waits]
            button = isOpen ? "Open the write gate" : "Close the write gate"
            done = isOpen ? "Changes to \(what) are allowed." : "Changes to \(what) are switched off."
            origin = Link.tenant(tenant)
        case .connectionEnabled(let connection, let isEnabled):
            let what = try name(connection.uuid)
            question = isEnabled ? "Enable the connection \(what)?" : "Disable the connection \(what)?"
            sentences = [
                "Nothing is called through it any more, and nothing can be started on it.", Self.waits,
            ]
            button = isEnabled ? "Enable it" : "Disable it"
            done = "The connection \(what) is \(isEnabled ? "enabled" : "disabled")."
            origin = Link.connection(connection)
        case .freeze(let place):
            let what = try Self.text(place, name)
            question = "Freeze \(what)?"
            sentences = [
                "Nothing runs there until somebody unfreezes it.",
                "What is queued or running is refused for good: it does not come back when it is unfrozen.",
                Self.waits,
            ]
            button = "Freeze \(what)"
            done = "\(Self.capitalised(what)) is frozen."
            origin = Self.origin(place)
        case .unfreeze(let place):
            let what = try Self.text(place, name)
            question = "Unfreeze \(what)?"
            sentences = []
            button = "Unfreeze \(what)"
            done =
                "\(Self.capitalised(what)) is unfrozen. What was queued before stays refused; new runs can be started."
            origin = Self.origin(place)
        }
    }

    private static let waits =
        "It holds at once. The answer waits for the calls to Microsoft that are on the wire, which can take some minutes."

    private static func onSelf(_ user: UserID, _ visitor: UserID) -> String? {
        user == visitor ? "This is you: you may not be able to undo it yourself." : nil
    }

    private static func sentence(_ operability: AuthorityFacts.Operability) -> String {
        switch operability {
        case .operable: "What waits for it goes on."
        case .onboarding: "What is queued waits until its set-up is finished."
        case .suspended: "What is queued waits until somebody makes it operable."
        case .archived: "What is queued is refused for good, and nothing can be started."
        }
    }

    private static func text(
        _ place: AuthorityRequest.FrozenPlace, _ name: (UUID) throws -> String
    ) throws -> String {
        switch place {
        case .workspace: "the whole workspace"
        case .tenant(let id): try name(id.uuid)
        case .connection(let id): "the connection \(try name(id.uuid))"
        }
    }

    private static func origin(_ place: AuthorityRequest.FrozenPlace) -> String {
        switch place {
        case .workspace: SitePage.Section.access.href
        case .tenant(let id): Link.tenant(id)
        case .connection(let id): Link.connection(id)
        }
    }

    private static func capitalised(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }
}
