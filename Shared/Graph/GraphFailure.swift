package import Operations

/// Why a provider call did not give what was asked for, in stable words. Everything in it passed an allowlist:
/// it never holds a text of the provider, an id of the customer, or a secret, so it may be logged and shown.
package struct GraphFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What it means for the run.
    package let failure: ProviderFailure
    /// How long the provider asked to wait, in seconds.
    package let retryAfterSeconds: Double?
    /// The provider's status; nil when no answer arrived.
    package let httpStatus: Int?
    /// The provider's id of its answer, for its support.
    package let requestID: String?
    /// Graph's error code, one of the known ones or `other`; or the token endpoint's number as `AADSTS…`.
    package let code: String?
    /// When the provider answered, by its own clock (an HTTP date).
    package let date: String?
    /// Method and path template.
    package let call: String

    /// A failure that was found out by looking at an answer; what came with the answer is left out.
    package init(_ failure: ProviderFailure, call: StaticString, httpStatus: Int? = nil) {
        self.init(
            failure, call: "\(call)", retryAfterSeconds: nil, httpStatus: httpStatus,
            requestID: nil, code: nil, date: nil)
    }

    init(
        _ failure: ProviderFailure, call: String, retryAfterSeconds: Double? = nil, httpStatus: Int? = nil,
        requestID: String? = nil, code: String? = nil, date: String? = nil
    ) {
        self.failure = failure
        self.retryAfterSeconds = retryAfterSeconds
        self.httpStatus = httpStatus
        self.requestID = requestID
        self.code = code
        self.date = date
        self.call = call
    }

    /// The same answer, with another meaning.
    package func with(_ failure: ProviderFailure) -> GraphFailure {
        GraphFailure(
            failure, call: call, retryAfterSeconds: retryAfterSeconds, httpStatus: httpStatus,
            requestID: requestID, code: code, date: date)
    }

    /// One line with everything that is known.
    package var description: String {
        let parts = [
            "\(failure.rawValue) from \(call)", httpStatus.map { "status \($0)" }, code.map { "code \($0)" },
            requestID.map { "request-id \($0)" }, date,
            retryAfterSeconds.map { "retry after \($0) s" },
        ]
        return parts.compactMap { $0 }.joined(separator: ", ")
    }
}
