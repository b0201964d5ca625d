import JSON
import Operations

extension StarterClient {
    /// Asks for a run. The same key again starts nothing more: for instance a form that was sent twice.
    func start(
        _ operation: String, on connection: String, _ parameters: JSON? = nil, key: String?, as secret: String
    ) async -> Answer {
        var body: JSONObject = [
            "operation": .string(operation), "provider_connection_id": .string(connection),
        ]
        body["parameters"] = parameters
        return await send(
            "POST", "/v1/runs", .object(body), headers: Self.headers(key: key), as: secret)
    }

    /// Asks for a run once more, as a run of its own.
    func retry(_ run: RunID, key: String?, as secret: String) async -> Answer {
        await send("POST", "/v1/runs/\(run)/retry", headers: Self.headers(key: key), as: secret)
    }

    /// Asks for a run to be stopped.
    func cancel(_ run: RunID, as secret: String) async -> Answer {
        await send("POST", "/v1/runs/\(run)/cancel", as: secret)
    }

    private static func headers(key: String?) -> [(String, String)] {
        key.map { [("Idempotency-Key", $0)] } ?? []
    }
}

extension StarterClient.Answer {
    /// The run that was started, now or by the same form before; nil when none was.
    var run: RunID? { isSuccess ? body["run_id"]?.string.flatMap { RunID($0) } : nil }
}

extension Outcome {
    /// The acknowledgement of a start, or why nothing was started: told at `back`.
    init(ofStart answer: StarterClient.Answer, back: String, done: String) {
        if let run = answer.run {
            self.init(path: back, notice: Notice(.good, done, link: ("View run", Link.run(run))))
        } else {
            let active = answer.body["active_run"]?["run_id"]?.string.flatMap { RunID($0) }
            self.init(
                path: back,
                notice: Notice(.bad, answer.detail, link: active.map { ("View run", Link.run($0)) }))
        }
    }
}
