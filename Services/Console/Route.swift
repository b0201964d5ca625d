import HTTPTypes
import Operations

/// What a request asks for, by its method and path. Pages are read with GET; what changes something is a POST.
enum Route: Sendable, Hashable {
    case overview, operations, operationsFile(RunExport.Format), run(RunID), runItems(RunID)
    case tenants, connections, connection(ConnectionID)
    case me
    case start, cancel(RunID), retry(RunID), changeRuns, changeViews
    case signOut, theme
    case backups(BackupRoute)
    case management(ManagementRoute)
    case notifications(NotificationRoute)
    case deadLetters(DeadLetterRoute)
    case bulk(BulkRoute)
    case schedules(ScheduleRoute)

    /// Finds the route; nil for what leads nowhere, a malformed id included.
    init?(_ method: HTTPRequest.Method, path: String) {
        let parts = path.split(separator: "/").map(String.init)
        let found: Route? =
            switch method {
            case .get, .head:
                Self.page(parts) ?? BackupRoute(page: parts).map(Route.backups)
                    ?? BulkRoute(page: parts).map(Route.bulk)
                    ?? ScheduleRoute(page: parts).map(Route.schedules)
                    ?? ManagementRoute(page: parts).map(Route.management)
                    ?? NotificationRoute(page: parts).map(Route.notifications)
                    ?? DeadLetterRoute(page: parts).map(Route.deadLetters)
            case .post:
                Self.action(parts) ?? BackupRoute(action: parts).map(Route.backups)
                    ?? BulkRoute(action: parts).map(Route.bulk)
                    ?? ScheduleRoute(action: parts).map(Route.schedules)
                    ?? ManagementRoute(action: parts).map(Route.management)
                    ?? NotificationRoute(action: parts).map(Route.notifications)
                    ?? DeadLetterRoute(action: parts).map(Route.deadLetters)
            default: nil
            }
        guard let found else { return nil }
        self = found
    }

    private static func page(_ parts: [String]) -> Route? {
        guard parts.first == "admin" else { return nil }
        switch parts.count {
        case 1: return .overview
        case 2:
            switch parts[1] {
            case "operations": return .operations
            case "operations.csv": return .operationsFile(.csv)
            case "operations.json": return .operationsFile(.json)
            case "tenants": return .tenants
            case "provider-connections": return .connections
            case "me": return .me
            default: return nil
            }
        case 3:
            switch parts[1] {
            case "operations": return RunID(parts[2]).map(Route.run)
            case "provider-connections": return ConnectionID(parts[2]).map(Route.connection)
            default: return nil
            }
        case 4 where parts[1] == "operations" && parts[3] == "items":
            return RunID(parts[2]).map(Route.runItems)
        default: return nil
        }
    }

    private static func action(_ parts: [String]) -> Route? {
        switch parts.count {
        case 1 where parts[0] == "sign-out": return .signOut
        case 1 where parts[0] == "theme": return .theme
        case 2 where parts == ["admin", "operations"]: return .changeRuns
        case 3 where parts == ["admin", "operations", "start"]: return .start
        case 3 where parts == ["admin", "operations", "views"]: return .changeViews
        case 4 where parts.starts(with: ["admin", "operations"]):
            guard let run = RunID(parts[2]) else { return nil }
            switch parts[3] {
            case "cancel": return .cancel(run)
            case "retry": return .retry(run)
            default: return nil
            }
        default: return nil
        }
    }
}
