import JSON

extension APIClient {
    /// Changes who may do what, and tells when it took hold where the API says so; or, asked what if, tells what it would
    /// stop. `doing` completes «Could not …»; `done` is the sentence when it was done. Throws exit code 1 when a call is
    /// in doubt.
    func change(
        _ method: String, _ path: String, _ body: JSONObject = JSONObject(), doing: String, done: String,
        _ options: ChangeOptions
    ) async throws {
        var body = body
        if options.whatIf { body["what_if"] = true }
        let whole: JSON? = body.isEmpty ? nil : .object(body)
        guard options.whatIf else {
            return try await change(method, path, whole, doing: doing, done: done, options.output.output)
        }
        let outlook = try await send(method, path, whole, doing: "tell what it would stop to \(doing)").body
        options.output.output.tell(outlook) { OutlookView(outlook).lines($0) }
    }

    /// The same for what takes nothing away.
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
