internal import Hummingbird
import JSON

/// The endpoints by which a service is watched: `/livez`, `/readyz` and `/metrics`.
struct HealthRoutes: Sendable {
    let service: String
    let readiness: Readiness
    let metrics: Metrics

    func add<Context: RequestContext>(to router: Router<Context>) {
        router.get("livez") { _, _ in live() }
        router.get("readyz") { request, _ in
            await ready(verbose: request.uri.queryParameters["verbose"] != nil)
        }
        let passing = metrics.gauge(
            "tenantatlas_ready", help: "1 where the check of readiness passes.", labels: ["check"])
        router.get("metrics") { _, _ in
            for result in await readiness.report().results {
                passing.set(result.outcome == .ok ? 1 : 0, result.name)
            }
            return answer(.ok, "text/plain; version=0.0.4; charset=utf-8", metrics.render())
        }
    }

    /// Looks at nothing: a process that answers is alive, and a broken database is no reason to kill it.
    private func live() -> Response {
        json(
            .ok,
            [
                "status": "alive", "service": .string(service), "version": .string(BuildInfo.version),
                "commit": .string(BuildInfo.commit),
            ])
    }

    private func ready(verbose: Bool) async -> Response {
        let report = await readiness.report()
        let status = report.isStopping ? "stopping" : report.isReady ? "ready" : "not ready"
        var body: JSONObject = ["status": .string(status)]
        let failing = report.results.filter { $0.outcome != .ok }.map { JSON.string($0.name) }
        if !failing.isEmpty { body["failing"] = .array(failing) }
        if verbose {
            body["checks"] = .array(
                report.results.map {
                    [
                        "name": .string($0.name), "outcome": .string($0.outcome.rawValue),
                        "milliseconds": .int($0.milliseconds),
                    ]
                })
        }
        return json(report.isReady ? .ok : .serviceUnavailable, body)
    }

    private func json(_ status: HTTPResponse.Status, _ body: JSONObject) -> Response {
        answer(status, "application/json", JSON.object(body).text)
    }

    private func answer(_ status: HTTPResponse.Status, _ type: String, _ body: String) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}
