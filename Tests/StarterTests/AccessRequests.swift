import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations

@testable import Starter

/// Ids of what requests are about, as texts.
struct AccessThings: Sendable {
    var workspace, tenant, connection: String
    /// A connection of the tenant on which nothing runs.
    var freeConnection: String
    var run, schedule, backup, webhook, delivery, deadLetter: String
    /// A named filter of somebody else's.
    var view: String
    /// A system of the workspace, and a token of it.
    var system, systemToken: String
    /// Hold `readonly`: one on the tenant, one on the whole workspace.
    var guest, reader: String
    /// Holds nothing.
    var stranger: String

    /// Ids of nothing.
    static var missing: AccessThings {
        func id() -> String { UUID().uuidString.lowercased() }
        return AccessThings(
            workspace: id(), tenant: id(), connection: id(), freeConnection: id(), run: id(), schedule: id(),
            backup: id(), webhook: id(), delivery: id(), deadLetter: id(), view: id(), system: id(),
            systemToken: id(), guest: id(), reader: id(), stranger: id())
    }
}

/// A request that a route answers, what it needs, and how it is answered when nothing is in its way.
struct AccessRequest: Sendable, CustomStringConvertible {
    let method: HTTPRequest.Method
    let path: @Sendable (AccessThings) -> String
    let body: @Sendable (AccessThings) -> JSON?
    let need: AccessOracle.Need
    let success: Int

    init(
        _ method: HTTPRequest.Method, _ need: AccessOracle.Need, _ success: Int = 200,
        _ path: @escaping @Sendable (AccessThings) -> String,
        body: @escaping @Sendable (AccessThings) -> JSON? = { _ in nil }
    ) {
        self.method = method
        self.path = path
        self.body = body
        self.need = need
        self.success = success
    }

    var description: String {
        let things = AccessThings.missing
        let words = path(things).split(separator: "/").map { $0.contains("-4") ? "…" : String($0) }
        return "\(method.rawValue) /\(words.joined(separator: "/")) \(need)"
    }
}

/// The API's routes without what they are about. A new case of ``Route`` does not compile until it stands here, and then
/// not until there are requests for it.
enum RouteKind: CaseIterable {
    case startRun, dryRun, listRuns, run, explanation, items, cancel, retry
    case createSchedule, listSchedules, schedule, removeSchedule, pauseSchedule, resumeSchedule
    case me, tenants, notifications, readNotifications, users, audit
    case listViews, keepView, removeView, listDeadLetters, redriveDeadLetter, dropDeadLetter
    case connections, createConnection, connection, editConnection, connectionDefault, credential
    case createToken, tokens, revokeToken, backups, backup, groups
    case grant, revoke, changeRole, disableUser, enableUser
    case operability, writeGate, connectionEnabled, freeze, liftFreeze
    case createWebhook, listWebhooks, webhook, removeWebhook, rotateWebhook, enableWebhook, disableWebhook
    case listDeliveries, delivery, redeliver, email, setEmail, removeEmail

    init(_ route: Route) {
        self =
            switch route {
            case .startRun: .startRun
            case .dryRun: .dryRun
            case .listRuns: .listRuns
            case .run: .run
            case .explanation: .explanation
            case .items: .items
            case .cancel: .cancel
            case .retry: .retry
            case .createSchedule: .createSchedule
            case .listSchedules: .listSchedules
            case .schedule: .schedule
            case .removeSchedule: .removeSchedule
            case .pauseSchedule: .pauseSchedule
            case .resumeSchedule: .resumeSchedule
            case .me: .me
            case .tenants: .tenants
            case .notifications: .notifications
            case .readNotifications: .readNotifications
            case .listViews: .listViews
            case .keepView: .keepView
            case .removeView: .removeView
            case .listDeadLetters: .listDeadLetters
            case .redriveDeadLetter: .redriveDeadLetter
            case .dropDeadLetter: .dropDeadLetter
            case .users: .users
            case .audit: .audit
            case .connections: .connections
            case .createConnection: .createConnection
            case .connection: .connection
            case .editConnection: .editConnection
            case .connectionDefault: .connectionDefault
            case .credential: .credential
            case .createToken: .createToken
            case .tokens: .tokens
            case .revokeToken: .revokeToken
            case .backups: .backups
            case .backup: .backup
            case .groups: .groups
            case .grant: .grant
            case .revoke: .revoke
            case .changeRole: .changeRole
            case .disableUser: .disableUser
            case .enableUser: .enableUser
            case .operability: .operability
            case .writeGate: .writeGate
            case .connectionEnabled: .connectionEnabled
            case .freeze: .freeze
            case .liftFreeze: .liftFreeze
            case .createWebhook: .createWebhook
            case .listWebhooks: .listWebhooks
            case .webhook: .webhook
            case .removeWebhook: .removeWebhook
            case .rotateWebhook: .rotateWebhook
            case .enableWebhook: .enableWebhook
            case .disableWebhook: .disableWebhook
            case .listDeliveries: .listDeliveries
            case .delivery: .delivery
            case .redeliver: .redeliver
            case .email: .email
            case .setEmail: .setEmail
            case .removeEmail: .removeEmail
            }
    }
}
