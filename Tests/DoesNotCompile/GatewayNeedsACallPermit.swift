// expect: inaccessible due to 'private' protection level
import Curl
import Graph
import Store

func callPastTheSession(
    _ gateway: GraphGateway, _ request: HTTPRequest, _ permit: consuming CallPermit
) async throws {
    _ = try await gateway.send(request, call: "GET /organization", permit: permit)
}
