import JSON

extension APIClient {
    /// Changes who may do what, and tells when it took hold where the API says so. `doing` completes
    /// «Could not …»; `done` is the sentence when it was done. Throws exit code 1 when a call is in doubt.
    func change(
        _ method: String, _ path: String, _ body: JSON? = nil, doing: String, done: String, _ output: Output
    ) async throws {
        let answer = try await send(method, path, body, timeout: Self.barrierTimeout, doing: doing)
        if answer.body["effective_at"] != nil {
            return try BarrierView(answer.body).tell(done, output)
        }
        output.tell(answer.body.isNull ? ["done": true] : answer.body) { _ in [Style.plain(done)] }
    }
}
