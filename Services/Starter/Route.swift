import HTTPTypes
import Operations

/// What a request asks for, by its method and path.
enum Route: Sendable, Hashable {
    case startRun, dryRun, listRuns, run(RunID), explanation(RunID), items(RunID), cancel(RunID)
    case retry(RunID)
    case createSchedule, listSchedules, schedule(ScheduleID), removeSchedule(ScheduleID)
    case pauseSchedule(ScheduleID), resumeSchedule(ScheduleID)
    case me, tenants, users
    case notifications, readNotifications
    case listViews, keepView, removeView(SavedViewID)
    case listDeadLetters, redriveDeadLetter(DeadLetterID), dropDeadLetter(DeadLetterID)
    case connections, createConnection(TenantID), connection(ConnectionID), editConnection(ConnectionID)
    case connectionDefault(ConnectionID), credential(ConnectionID)
    case createToken, tokens, revokeToken(Identifier<Never>)
    case backups(TenantID), backup(RunID), groups(TenantID)
    case grant, revoke, changeRole, disableUser(UserID), enableUser(UserID)
    case operability(TenantID), writeGate(TenantID), connectionEnabled(ConnectionID)
    case freeze, liftFreeze
    case audit
    case createWebhook, listWebhooks, webhook(WebhookID), removeWebhook(WebhookID), rotateWebhook(WebhookID)
    case enableWebhook(WebhookID), disableWebhook(WebhookID)
    case listDeliveries, delivery(DeliveryID), redeliver(DeliveryID)
    case email, setEmail, removeEmail

    /// Finds the route. Throws 404 for a path that leads nowhere, a malformed id included, and 405 for a
    /// method that the path does not have.
    init(_ method: HTTPRequest.Method, path: String) throws(Problem) {
        let routes = Self.routes(of: path)
        guard !routes.isEmpty else { throw .notFound }
        guard let route = routes.first(where: { $0.method == method }) else {
            throw .methodNotAllowed(routes.map(\.method))
        }
        self = route.route
    }

    private static func routes(of path: String) -> [(method: HTTPRequest.Method, route: Route)] {
        // The hot one first.
        if path == "/v1/runs" { return [(.get, .listRuns), (.post, .startRun)] }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].isEmpty, parts[1] == "v1" else { return [] }
        return switch parts.count {
        case 3: collection(parts[2])
        case 4: entry(of: parts[2], parts[3])
        case 5: part(of: parts[2], parts[3], parts[4])
        default: []
        }
    }

    private static func collection(_ name: Substring) -> [(HTTPRequest.Method, Route)] {
        switch name {
        case "dry-runs": [(.post, .dryRun)]
        case "me": [(.get, .me)]
        case "audit": [(.get, .audit)]
        case "tenants": [(.get, .tenants)]
        case "provider-connections": [(.get, .connections)]
        case "notifications": [(.get, .notifications)]
        case "users": [(.get, .users)]
        case "freezes": [(.post, .freeze)]
        case "schedules": [(.get, .listSchedules), (.post, .createSchedule)]
        case "webhooks": [(.get, .listWebhooks), (.post, .createWebhook)]
        case "deliveries": [(.get, .listDeliveries)]
        case "tokens": [(.get, .tokens), (.post, .createToken)]
        case "views": [(.get, .listViews), (.post, .keepView)]
        case "dead-letters": [(.get, .listDeadLetters)]
        default: []
        }
    }

    private static func entry(of collection: Substring, _ id: Substring) -> [(HTTPRequest.Method, Route)] {
        switch collection {
        case "runs": with(id) { [(.get, .run($0))] }
        case "backups": with(id) { [(.get, .backup($0))] }
        case "schedules": with(id) { [(.get, .schedule($0)), (.delete, .removeSchedule($0))] }
        case "webhooks": with(id) { [(.get, .webhook($0)), (.delete, .removeWebhook($0))] }
        case "deliveries": with(id) { [(.get, .delivery($0))] }
        case "provider-connections": with(id) { [(.get, .connection($0)), (.patch, .editConnection($0))] }
        case "tokens": with(id) { [(.delete, .revokeToken($0))] }
        case "views": with(id) { [(.delete, .removeView($0))] }
        default: pair(collection, id)
        }
    }

    private static func pair(_ first: Substring, _ second: Substring) -> [(HTTPRequest.Method, Route)] {
        switch (first, second) {
        case ("access", "grants"): [(.post, .grant)]
        case ("access", "revocations"): [(.post, .revoke)]
        case ("access", "roles"): [(.post, .changeRole)]
        case ("freezes", "lift"): [(.post, .liftFreeze)]
        case ("notifications", "read"): [(.post, .readNotifications)]
        case ("me", "email"): [(.get, .email), (.put, .setEmail), (.delete, .removeEmail)]
        default: []
        }
    }

    private static func part(
        of collection: Substring, _ id: Substring, _ name: Substring
    ) -> [(HTTPRequest.Method, Route)] {
        switch (collection, name) {
        case ("runs", "explanation"): with(id) { [(.get, .explanation($0))] }
        case ("runs", "items"): with(id) { [(.get, .items($0))] }
        case ("runs", "cancel"): with(id) { [(.post, .cancel($0))] }
        case ("runs", "retry"): with(id) { [(.post, .retry($0))] }
        case ("schedules", "pause"): with(id) { [(.post, .pauseSchedule($0))] }
        case ("schedules", "resume"): with(id) { [(.post, .resumeSchedule($0))] }
        case ("webhooks", "rotate"): with(id) { [(.post, .rotateWebhook($0))] }
        case ("webhooks", "enable"): with(id) { [(.post, .enableWebhook($0))] }
        case ("webhooks", "disable"): with(id) { [(.post, .disableWebhook($0))] }
        case ("deliveries", "redeliver"): with(id) { [(.post, .redeliver($0))] }
        case ("dead-letters", "redrive"): with(id) { [(.post, .redriveDeadLetter($0))] }
        case ("dead-letters", "drop"): with(id) { [(.post, .dropDeadLetter($0))] }
        case ("users", "disable"): with(id) { [(.post, .disableUser($0))] }
        case ("users", "enable"): with(id) { [(.post, .enableUser($0))] }
        case ("tenants", "backups"): with(id) { [(.get, .backups($0))] }
        case ("tenants", "groups"): with(id) { [(.get, .groups($0))] }
        case ("tenants", "operability"): with(id) { [(.put, .operability($0))] }
        case ("tenants", "write-gate"): with(id) { [(.put, .writeGate($0))] }
        case ("tenants", "provider-connections"): with(id) { [(.post, .createConnection($0))] }
        case ("provider-connections", "enabled"): with(id) { [(.put, .connectionEnabled($0))] }
        case ("provider-connections", "default"): with(id) { [(.put, .connectionDefault($0))] }
        case ("provider-connections", "credential"): with(id) { [(.put, .credential($0))] }
        default: []
        }
    }

    private static func with<Subject>(
        _ text: Substring, _ routes: (Identifier<Subject>) -> [(HTTPRequest.Method, Route)]
    ) -> [(HTTPRequest.Method, Route)] {
        Identifier(String(text)).map(routes) ?? []
    }
}

extension Route {
    /// The path as a template, for figures and the log.
    var template: String {
        switch self {
        case .startRun, .listRuns: "/v1/runs"
        case .dryRun: "/v1/dry-runs"
        case .run: "/v1/runs/{id}"
        case .explanation: "/v1/runs/{id}/explanation"
        case .items: "/v1/runs/{id}/items"
        case .cancel: "/v1/runs/{id}/cancel"
        case .retry: "/v1/runs/{id}/retry"
        case .createSchedule, .listSchedules: "/v1/schedules"
        case .schedule, .removeSchedule: "/v1/schedules/{id}"
        case .pauseSchedule: "/v1/schedules/{id}/pause"
        case .resumeSchedule: "/v1/schedules/{id}/resume"
        case .me: "/v1/me"
        case .audit: "/v1/audit"
        case .tenants: "/v1/tenants"
        case .connections: "/v1/provider-connections"
        case .createConnection: "/v1/tenants/{id}/provider-connections"
        case .connection, .editConnection: "/v1/provider-connections/{id}"
        case .connectionDefault: "/v1/provider-connections/{id}/default"
        case .credential: "/v1/provider-connections/{id}/credential"
        case .createToken, .tokens: "/v1/tokens"
        case .revokeToken: "/v1/tokens/{id}"
        case .notifications: "/v1/notifications"
        case .readNotifications: "/v1/notifications/read"
        case .listViews, .keepView: "/v1/views"
        case .removeView: "/v1/views/{id}"
        case .listDeadLetters: "/v1/dead-letters"
        case .redriveDeadLetter: "/v1/dead-letters/{id}/redrive"
        case .dropDeadLetter: "/v1/dead-letters/{id}/drop"
        case .users: "/v1/users"
        case .backups: "/v1/tenants/{id}/backups"
        case .backup: "/v1/backups/{id}"
        case .groups: "/v1/tenants/{id}/groups"
        case .grant: "/v1/access/grants"
        case .revoke: "/v1/access/revocations"
        case .changeRole: "/v1/access/roles"
        case .disableUser: "/v1/users/{id}/disable"
        case .enableUser: "/v1/users/{id}/enable"
        case .operability: "/v1/tenants/{id}/operability"
        case .writeGate: "/v1/tenants/{id}/write-gate"
        case .connectionEnabled: "/v1/provider-connections/{id}/enabled"
        case .freeze: "/v1/freezes"
        case .liftFreeze: "/v1/freezes/lift"
        case .createWebhook, .listWebhooks: "/v1/webhooks"
        case .webhook, .removeWebhook: "/v1/webhooks/{id}"
        case .rotateWebhook: "/v1/webhooks/{id}/rotate"
        case .enableWebhook: "/v1/webhooks/{id}/enable"
        case .disableWebhook: "/v1/webhooks/{id}/disable"
        case .listDeliveries: "/v1/deliveries"
        case .delivery: "/v1/deliveries/{id}"
        case .redeliver: "/v1/deliveries/{id}/redeliver"
        case .email, .setEmail, .removeEmail: "/v1/me/email"
        }
    }
}
