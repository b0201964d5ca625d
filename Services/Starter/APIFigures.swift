import HTTPTypes
import ServiceKit

/// The API's figures: how many requests came, how they were answered, and how long that took.
struct APIFigures: Sendable {
    private let requests: Counter
    private let seconds: Histogram

    init(_ metrics: Metrics) {
        requests = metrics.counter(
            "tenantatlas_api_requests_total", help: "Requests by route and status.",
            labels: ["route", "status"])
        seconds = metrics.histogram(
            "tenantatlas_api_request_seconds", help: "How long requests took, by route.", labels: ["route"])
    }

    /// `route` is nil for what led nowhere or was refused before.
    func count(_ route: Route?, _ status: HTTPResponse.Status, _ time: Duration) {
        let name = route?.template ?? "none"
        requests.add(1, name, "\(status.code)")
        seconds.with(name).observe(time)
    }
}
