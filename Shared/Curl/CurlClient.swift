import EventLoop

/// Carries HTTP requests and mails, hundreds at once, without blocking a task's thread.
///
/// Requests share one thread, and each mail has one while it is sent.
/// Connections are kept and used again. Proxies, cookies, redirects and configuration from the environment
/// are never used. Certificates are always verified.
package final class CurlClient: Sendable {
    private let inbox: TransferInbox
    private let mailRoom = MailRoom()

    /// - Parameters:
    ///   - userAgent: what the `User-Agent` header says; control characters are dropped.
    ///   - maxConnectionsPerHost: the most open connections to one host; twice as many to all hosts
    ///     together. What comes beyond waits, within its own time-out. 1 to 2,048.
    package init(userAgent: String, maxConnectionsPerHost: Int = 64) {
        precondition((1...2_048).contains(maxConnectionsPerHost))
        let parking = PollParking()
        inbox = TransferInbox(parking: parking)
        let printable = userAgent.unicodeScalars.filter { (32...126).contains($0.value) }
        _ = TransferEngine(
            userAgent: String(String.UnicodeScalarView(printable)),
            maxConnectionsPerHost: maxConnectionsPerHost, parking: parking, inbox: inbox)
    }

    deinit { inbox.close() }

    /// Performs one request. Any status is an answer; an error means that there was no complete one.
    package func perform(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
        try request.check()
        let id = inbox.makeID()
        let deadline = ContinuousClock.now + request.timeout
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                inbox.submit(
                    Submission(id: id, request: request, deadline: deadline, continuation: continuation))
                // A cancellation that came before the hand-over found nothing to cancel.
                if Task.isCancelled { inbox.cancel(id) }
            }
        } onCancel: {
            inbox.cancel(id)
        }
        return try result.get()
    }

    /// Hands one mail to its relay over a connection of its own. It returns when the relay has taken it.
    package func send(_ mail: Mail) async throws(TransferError) {
        try await mailRoom.send(PreparedMail(mail), timeout: mail.timeout)
    }

    /// Ends every transfer that is under way with `.cancelled`, closes the connections and ends the thread.
    package func close() async {
        inbox.close()
        await mailRoom.close()
        await inbox.waitUntilClosed()
    }
}
