package import JSON
internal import Operations

/// How something is changed at the provider.
package enum WriteMethod: String, Sendable {
    case post = "POST"
    case patch = "PATCH"
    case put = "PUT"
    case delete = "DELETE"
}

/// What the provider answered to a change that it carried out.
package struct WriteAnswer: Sendable {
    /// 200 to 299.
    package let status: Int
    /// Nil when there is none, or none that can be read; the change is done all the same.
    package let body: JSON?
}

extension GraphSession {
    /// Changes something. It is carried out once at most: repeated at once is only what was surely not carried out
    /// (throttled, turned away, not sent, an old token), as far as reads are repeated.
    ///
    /// Throws ``GraphFailure``: `unknownOutcome` when nobody knows whether it was done (no answer, a broken
    /// connection, an error of the server itself); with every other one it was not done. ``CallRefusal`` comes before
    /// anything was sent. After `CancellationError` it may have been done: whoever keeps a ledger records the intent
    /// before.
    package func write(_ method: WriteMethod, _ path: GraphPath, _ body: JSON? = nil) async throws
        -> WriteAnswer
    {
        let target = CallTarget(
            method: method.rawValue, url: "\(cloud.graph)\(path.text)", template: path.template, body: body)
        return try await repeating(target) { ticket in
            let answer = try await gateway.write(target, with: ticket, under: permit)
            return WriteAnswer(status: answer.status, body: try? JSON(parsing: answer.body))
        }
    }
}
