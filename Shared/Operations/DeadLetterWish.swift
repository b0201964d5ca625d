/// What a person may want done with a message that nobody could process.
package enum DeadLetterWish: String, Sendable, CaseIterable {
    /// To be put into the queue that it was for, where it is decided about like any other.
    case redrive
    /// To be removed for good.
    case drop
}
