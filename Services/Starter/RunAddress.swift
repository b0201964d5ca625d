import Operations

/// Where a run is found in this API.
enum RunAddress {
    static func path(of run: RunID) -> String { "/v1/runs/\(run)" }
}
