import Logging
import ServiceLifecycle

/// A service that is known to the shutdown by its name.
struct TrackedService: Service {
    let name: String
    let service: any Service
    let deadline: ShutdownDeadline
    let logger: Logger

    func run() async throws {
        deadline.started(name)
        defer {
            deadline.ended(name)
            // The first that ends takes the others along, so the time runs from here too.
            deadline.begin()
        }
        do {
            try await service.run()
        } catch {
            logger.error("service failed", error: error, metadata: ["part": .string(name)])
            throw error
        }
        if !Task.isShuttingDownGracefully {
            logger.error("service ended without being asked", metadata: ["part": .string(name)])
        }
    }

    /// One for each service, named after its type; a second of the same type gets a number.
    static func wrap(_ services: [any Service], _ deadline: ShutdownDeadline, _ logger: Logger)
        -> [TrackedService]
    {
        var seen: [String: Int] = [:]
        return services.map { service in
            let type = "\(type(of: service))"
            seen[type, default: 0] += 1
            let name = seen[type] == 1 ? type : "\(type) \(seen[type]!)"
            return TrackedService(name: name, service: service, deadline: deadline, logger: logger)
        }
    }
}
