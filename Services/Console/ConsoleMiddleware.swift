import Hummingbird
import HummingbirdCore
import NIOCore
import ServiceKit

/// Answers everything that no route of the service's own (health, figures) does.
struct ConsoleMiddleware: RouterMiddleware {
    typealias Context = ServiceRequestContext

    let site: Site

    func handle(
        _ request: Request, context: ServiceRequestContext,
        next: (Request, ServiceRequestContext) async throws -> Response
    ) async throws -> Response {
        await site.respond(to: request, from: context.remoteAddress?.ipAddress ?? "")
    }
}
