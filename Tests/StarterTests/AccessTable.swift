import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations

@testable import Starter

extension RouteKind {
    /// What can be asked of the route, and what each takes.
    var requests: [AccessRequest] {
        switch self {
        case .startRun: OperationType.allCases.map(Self.start)
        case .dryRun:
            [Self.dryRun(.deviceBulkSync, .deviceBulk), Self.dryRun(.policyBulkDelete, .policyBulk)]
        case .listRuns: Self.list(.operationsView) { "/v1/runs" }
        case .run: [AccessRequest(.get, .here(.operationsView)) { "/v1/runs/\($0.run)" }]
        case .explanation: [AccessRequest(.get, .here(.operationsView)) { "/v1/runs/\($0.run)/explanation" }]
        case .items: [AccessRequest(.get, .here(.operationsView)) { "/v1/runs/\($0.run)/items" }]
        case .cancel: [AccessRequest(.post, .here(.providerRun), 202) { "/v1/runs/\($0.run)/cancel" }]
        // It has not ended.
        case .retry: [AccessRequest(.post, .here(.providerRun), 409) { "/v1/runs/\($0.run)/retry" }]
        case .createSchedule: [Self.schedule("me", .backupRun), Self.schedule("system", .accessManage)]
        case .listSchedules: Self.list(.operationsView) { "/v1/schedules" }
        case .schedule: [AccessRequest(.get, .here(.operationsView)) { "/v1/schedules/\($0.schedule)" }]
        // It is the system's.
        case .removeSchedule:
            [AccessRequest(.delete, .here(.accessManage), 204) { "/v1/schedules/\($0.schedule)" }]
        case .pauseSchedule:
            [AccessRequest(.post, .here(.accessManage)) { "/v1/schedules/\($0.schedule)/pause" }]
        case .resumeSchedule:
            [AccessRequest(.post, .here(.accessManage)) { "/v1/schedules/\($0.schedule)/resume" }]
        case .me: [AccessRequest(.get, .token) { _ in "/v1/me" }]
        case .tenants: [AccessRequest(.get, .token) { _ in "/v1/tenants" }]
        case .notifications: [AccessRequest(.get, .token) { _ in "/v1/notifications" }]
        case .readNotifications:
            [AccessRequest(.post, .own(.operationsView), 204) { _ in "/v1/notifications/read" }]
        case .listViews: [AccessRequest(.get, .token) { _ in "/v1/views" }]
        case .keepView:
            [
                AccessRequest(.post, .own(.operationsView)) {
                    _ in
                    "/v1/views"
                } body: { _ in
                    ["name": "mine", "query": "outcome:blocked"]
                }
            ]
        // Nobody removes somebody else's.
        case .removeView:
            [AccessRequest(.delete, .own(.operationsView), 404) { "/v1/views/\($0.view)" }]
        case .listDeadLetters: [AccessRequest(.get, .token) { _ in "/v1/dead-letters" }]
        case .redriveDeadLetter:
            [
                AccessRequest(.post, .here(.providerRun), 202) {
                    "/v1/dead-letters/\($0.deadLetter)/redrive"
                }
            ]
        case .dropDeadLetter:
            [
                AccessRequest(.post, .here(.providerRun), 202) {
                    "/v1/dead-letters/\($0.deadLetter)/drop"
                } body: { _ in
                    ["note": "forged"]
                }
            ]
        case .users: [AccessRequest(.get, .anywhere(.accessManage)) { _ in "/v1/users" }]
        case .audit:
            [
                AccessRequest(.get, .anywhere(.auditView)) { _ in "/v1/audit" },
                AccessRequest(.get, .here(.auditView)) { "/v1/audit?tenant_id=\($0.tenant)" },
            ]
        case .connections: Self.list(.providerView) { "/v1/provider-connections" }
        case .createConnection:
            [
                AccessRequest(.post, .here(.providerManage), 201) {
                    "/v1/tenants/\($0.tenant)/provider-connections"
                } body: { _ in
                    ConnectionRouteTests.body()
                }
            ]
        case .connection: [Self.connection(.get, .providerView)]
        case .editConnection:
            [Self.connection(.patch, .providerManage, body: ["display_name": "Another"])]
        case .connectionDefault: [Self.connection(.put, .providerManage, "/default")]
        case .credential:
            [
                Self.connection(
                    .put, .providerManage, "/credential", body: ["kind": "secret", "client_secret": "s3cret"])
            ]
        case .connectionEnabled:
            [Self.connection(.put, .providerManage, "/enabled", body: ["enabled": false])]
        case .createToken: Self.newTokens
        case .tokens:
            [
                AccessRequest(.get, .token) { _ in "/v1/tokens" },
                AccessRequest(.get, .hidden(.accessManage, about: false)) {
                    "/v1/tokens?user_id=\($0.guest)"
                },
            ]
        case .revokeToken:
            [
                AccessRequest(.delete, .hidden(.accessManage, about: true), 204) {
                    "/v1/tokens/\($0.systemToken)"
                }
            ]
        case .backups: [AccessRequest(.get, .here(.providerView)) { "/v1/tenants/\($0.tenant)/backups" }]
        case .backup: [AccessRequest(.get, .here(.providerView)) { "/v1/backups/\($0.backup)" }]
        case .groups: [AccessRequest(.get, .here(.providerView)) { "/v1/tenants/\($0.tenant)/groups" }]
        case .grant: Self.access("grants", 201, guest: \.stranger, reader: \.stranger, role: "readonly")
        case .revoke: Self.access("revocations", guest: \.guest, reader: \.reader)
        case .changeRole: Self.access("roles", guest: \.guest, reader: \.reader, role: "operator")
        case .disableUser:
            [
                AccessRequest(.post, .ownWorkspace(.accessManage, about: true)) {
                    "/v1/users/\($0.guest)/disable"
                }
            ]
        case .enableUser:
            [
                AccessRequest(.post, .ownWorkspace(.accessManage, about: true), 204) {
                    "/v1/users/\($0.guest)/enable"
                }
            ]
        case .operability:
            [
                AccessRequest(.put, .here(.accessManage)) {
                    "/v1/tenants/\($0.tenant)/operability"
                } body: { _ in
                    ["operability": "suspended"]
                }
            ]
        case .writeGate:
            [
                AccessRequest(.put, .here(.accessManage), 204) {
                    "/v1/tenants/\($0.tenant)/write-gate"
                } body: { _ in
                    ["open": true]
                },
                AccessRequest(.put, .here(.accessManage)) {
                    "/v1/tenants/\($0.tenant)/write-gate"
                } body: { _ in
                    ["open": false]
                },
            ]
        case .freeze: Self.freezes("/v1/freezes", 200)
        case .liftFreeze: Self.freezes("/v1/freezes/lift", 204)
        case .createWebhook:
            [
                AccessRequest(.post, .ownWorkspace(.notificationsManage), 201) {
                    _ in
                    "/v1/webhooks"
                } body: { _ in
                    ["url": "https://example.com/x", "label": "x", "signing": "ed25519"]
                }
            ]
        case .listWebhooks: [AccessRequest(.get, .ownWorkspace(.notificationsManage)) { _ in "/v1/webhooks" }]
        case .webhook: [Self.webhook(.get)]
        case .removeWebhook: [Self.webhook(.delete, 204)]
        case .rotateWebhook: [Self.webhook(.post, "/rotate")]
        case .enableWebhook: [Self.webhook(.post, "/enable")]
        case .disableWebhook: [Self.webhook(.post, "/disable")]
        case .listDeliveries:
            [
                AccessRequest(.get, .ownWorkspace(.notificationsManage)) { _ in "/v1/deliveries" },
                AccessRequest(.get, .here(.operationsView)) { "/v1/deliveries?run_id=\($0.run)" },
                AccessRequest(.get, .everywhere(.notificationsManage)) {
                    "/v1/deliveries?webhook_id=\($0.webhook)"
                },
            ]
        case .delivery: [AccessRequest(.get, .here(.operationsView)) { "/v1/deliveries/\($0.delivery)" }]
        case .redeliver:
            [
                AccessRequest(.post, .here(.notificationsManage), 202) {
                    "/v1/deliveries/\($0.delivery)/redeliver"
                }
            ]
        case .email: [AccessRequest(.get, .token) { _ in "/v1/me/email" }]
        case .setEmail:
            [
                AccessRequest(.put, .own(.operationsView)) {
                    _ in
                    "/v1/me/email"
                } body: { _ in
                    ["address": "a@example.com", "enabled": true]
                }
            ]
        case .removeEmail: [AccessRequest(.delete, .own(.operationsView), 204) { _ in "/v1/me/email" }]
        }
    }

    // MARK: those that are alike

    /// What each operation takes. What changes a tenant is refused for the write gate, which is closed.
    private static func start(_ type: OperationType) -> AccessRequest {
        let (capability, success): (Capability, Int) =
            switch type {
            case .connectionCheck, .complianceSnapshot, .inventorySync, .policySync: (.providerRun, 202)
            case .backupRun: (.backupRun, 202)
            case .restoreExecute, .restoreAssignments: (.restoreExecute, 409)
            case .policyBulkAssign, .policyBulkDelete: (.policyBulk, 409)
            case .deviceBulkSync: (.deviceBulk, 409)
            }
        return AccessRequest(.post, .here(capability), success) {
            _ in
            "/v1/runs"
        } body: {
            var body: JSONObject = [
                "operation": .string(type.rawValue), "provider_connection_id": .string($0.freeConnection),
            ]
            if let parameters = sampleParameters(type) { body["parameters"] = parameters }
            return .object(body)
        }
    }

    private static func dryRun(_ type: OperationType, _ capability: Capability) -> AccessRequest {
        AccessRequest(.post, .here(capability)) {
            _ in
            "/v1/dry-runs"
        } body: {
            [
                "operation": .string(type.rawValue), "provider_connection_id": .string($0.connection),
                "parameters": sampleParameters(type)!,
            ]
        }
    }

    /// Of everything that the caller sees, and of the tenant.
    private static func list(
        _ capability: Capability, _ path: @escaping @Sendable () -> String
    ) -> [AccessRequest] {
        [
            AccessRequest(.get, .token) { _ in path() },
            AccessRequest(.get, .here(capability)) { path() + "?tenant_id=\($0.tenant)" },
        ]
    }

    private static func schedule(_ authority: String, _ capability: Capability) -> AccessRequest {
        AccessRequest(.post, .here(capability), 201) {
            _ in
            "/v1/schedules"
        } body: {
            [
                "operation": "backup.run", "provider_connection_id": .string($0.connection),
                "cron": "30 2 * * *",
                "time_zone": "Europe/Zurich", "run_as": .string(authority),
            ]
        }
    }

    private static func connection(
        _ method: HTTPRequest.Method, _ capability: Capability, _ part: String = "", body: JSON? = nil
    ) -> AccessRequest {
        AccessRequest(method, .here(capability)) {
            "/v1/provider-connections/\($0.connection)\(part)"
        } body: { _ in
            body
        }
    }

    private static func webhook(
        _ method: HTTPRequest.Method, _ part: String = "", _ success: Int = 200
    ) -> AccessRequest {
        AccessRequest(method, .everywhere(.notificationsManage), success) {
            "/v1/webhooks/\($0.webhook)\(part)"
        }
    }

    private static func webhook(_ method: HTTPRequest.Method, _ success: Int) -> AccessRequest {
        webhook(method, "", success)
    }

    /// For oneself, for a system, and for another person, which nobody may.
    private static let newTokens: [AccessRequest] = [
        AccessRequest(.post, .whole(.token), 201) { _ in
            "/v1/tokens"
        } body: { _ in
            ["label": "mine"]
        },
        AccessRequest(.post, .whole(.ownWorkspace(.accessManage, about: true)), 201) {
            _ in
            "/v1/tokens"
        } body: {
            ["label": "system", "user_id": .string($0.system)]
        },
        AccessRequest(.post, .whole(.ownWorkspace(.accessManage, about: true)), 403) {
            _ in
            "/v1/tokens"
        } body: {
            ["label": "theirs", "user_id": .string($0.guest)]
        },
    ]

    /// On the tenant, and on the whole workspace.
    private static func access(
        _ word: String, _ success: Int = 200,
        guest: @escaping @Sendable (AccessThings) -> String,
        reader: @escaping @Sendable (AccessThings) -> String,
        role: String? = nil
    ) -> [AccessRequest] {
        @Sendable func body(_ user: String, _ tenant: String?) -> JSON {
            var body: JSONObject = ["user_id": .string(user)]
            if let tenant { body["tenant_id"] = .string(tenant) }
            if let role { body["role"] = .string(role) }
            return .object(body)
        }
        return [
            AccessRequest(.post, .here(.accessManage), success) {
                _ in
                "/v1/access/\(word)"
            } body: {
                body(guest($0), $0.tenant)
            },
            AccessRequest(.post, .ownWorkspace(.accessManage, about: true), success) {
                _ in
                "/v1/access/\(word)"
            } body: {
                body(reader($0), nil)
            },
        ]
    }

    private static func freezes(_ path: String, _ success: Int) -> [AccessRequest] {
        [
            AccessRequest(.post, .here(.accessManage), success) {
                _ in
                path
            } body: {
                ["scope": "tenant", "id": .string($0.tenant)]
            },
            AccessRequest(.post, .here(.accessManage), success) {
                _ in
                path
            } body: {
                ["scope": "connection", "id": .string($0.connection)]
            },
            AccessRequest(.post, .thisWorkspace(.accessManage), success) {
                _ in
                path
            } body: {
                ["scope": "workspace", "id": .string($0.workspace)]
            },
        ]
    }
}
