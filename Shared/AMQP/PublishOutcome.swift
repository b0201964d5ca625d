/// What became of one published message.
package enum PublishOutcome: Sendable, Equatable {
    /// The broker has it, safe in every queue that takes it.
    case confirmed
    /// No queue takes it; `code` and `text` are the broker's (312 NO_ROUTE).
    case returned(code: UInt16, text: String)
    /// The broker refused it: a queue is full (`reject-publish`) or in trouble. It may be tried again.
    case rejected
    /// It was never written, so trying again can't make a duplicate.
    case notSent(reason: String)
    /// It was written and no answer came: the broker may have it or not. Trying again may make a duplicate,
    /// which consumers tell by the message's id.
    case unknown(reason: String)
    /// It can't be sent as it is. Trying again makes no sense.
    case invalid(reason: String)

    package var isConfirmed: Bool { self == .confirmed }

    /// Whether the broker has it not, for sure, and may take it another time.
    package var isCertainlyAbsent: Bool {
        switch self {
        case .returned, .rejected, .notSent: true
        case .confirmed, .unknown, .invalid: false
        }
    }
}
