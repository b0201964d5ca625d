import Hummingbird
import HummingbirdCore
import ServiceKit

/// Answers everything that no route of the service's own (health, figures) does. A middleware and not a set of
/// routes: so a path or a method that does not exist is answered by the API, too.
struct StarterMiddleware: RouterMiddleware {
    typealias Context = ServiceRequestContext

    let api: StarterAPI

    func handle(
        _ request: Request, context: ServiceRequestContext,
        next: (Request, ServiceRequestContext) async throws -> Response
    ) async throws -> Response {
        await api.respond(to: request)
    }
}
