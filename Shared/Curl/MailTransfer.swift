import CCurl

/// One mail over one connection, on the calling thread, which waits.
enum MailTransfer {
    /// `shallStop` is asked about once a second, and at each piece of progress.
    static func perform(
        _ mail: PreparedMail, deadline: ContinuousClock.Instant, shallStop: @escaping () -> Bool
    ) -> Result<Void, TransferError> {
        guard let handle = EasyHandle() else { return .failure(.invalid("no memory")) }
        let left = deadline - .now
        do {
            guard left > .zero else { return .failure(handle.mailFailure(CURLE_OPERATION_TIMEDOUT)) }
            try handle.prepare(mail)
            try handle.set(CURLOPT_TIMEOUT_MS, left.wholeMilliseconds)
            // curl's own limit does not hold while it says goodbye to a relay that does not answer.
            try handle.stop { shallStop() || deadline <= .now }
        } catch {
            return .failure(error)
        }
        let code = curl_easy_perform(handle.pointer)
        if code == CURLE_OK { return .success(()) }
        let late = code == CURLE_ABORTED_BY_CALLBACK && !shallStop()
        return .failure(handle.mailFailure(late ? CURLE_OPERATION_TIMEDOUT : code))
    }
}

extension EasyHandle {
    private static let connectTimeout = Duration.seconds(10)

    fileprivate func prepare(_ mail: PreparedMail) throws(TransferError) {
        let relay = mail.relay
        let scheme = relay.security == .implicit ? "smtps" : "smtp"
        try prepare(
            policy: relay.security == .none ? .loopbackOnly : .any, connectTimeout: Self.connectTimeout,
            mayRepeat: false)
        try set(CURLOPT_PROTOCOLS_STR, scheme)
        try set(CURLOPT_URL, "\(scheme)://\(relay.host):\(relay.port)")
        // curl takes a kept connection for SMTP whatever its TLS level is: one in plain text would do.
        try set(CURLOPT_FRESH_CONNECT, 1)
        try set(CURLOPT_FORBID_REUSE, 1)
        let level = relay.security == .none ? CURLUSESSL_NONE : CURLUSESSL_ALL
        try set(CURLOPT_USE_SSL, Int(level.rawValue))
        try trust(file: relay.trustedCAFile)
        if let credentials = relay.credentials {
            try set(CURLOPT_USERNAME, credentials.user)
            try set(CURLOPT_PASSWORD, credentials.password)
        }
        try set(CURLOPT_MAIL_FROM, "<\(mail.sender)>")
        try set(CURLOPT_MAIL_RCPT, list: mail.recipients.map { "<\($0)>" })
        // Reply lines don't arrive as a body; whatever would is refused.
        try collectBody(limit: 0)
        try send(upload: mail.message)
    }
}
