import HTTPTypes

/// Turns an armed refusal into what the client sees.
struct FaultAnswers: Sendable {
    let errors: GraphErrors
    let call: IncomingCall

    /// The answer to a call that `plan` refuses; nil for an effect that isn't a refusal of its own.
    func answer(_ effect: FaultEffect, quotaWait: Int?) -> Answer? {
        switch effect {
        case .throttle(let retryAfter): throttled(retryAfter)
        case .quota, .writeQuota: throttled(quotaWait.map(RetryAfter.seconds) ?? .absent)
        case .outage(let status, let html, let retryAfter): outage(status, html: html, retryAfter)
        case .error(let status, let code, let message): errors.plain(status, code, message)
        case .echo(let status, let text): Echo(of: call, and: text).answer(status: status, errors)
        case .unauthorized: errors.unauthenticated("Lifetime validation failed, the token is expired.")
        case .claimsChallenge: errors.claimsChallenge()
        case .expiredSkipToken:
            errors.intune(400, "BadRequest", "Skip token is expired or not valid.", path: call.path)
        case .reset: Self.reset
        case .tokenError, .slow, .trickle, .resetAfterCommit, .truncate, .shortTokens, .rolesRemoved, .churn,
            .emptyPage, .nextLink, .listLag:
            nil
        }
    }

    /// What becomes of a finished answer.
    static func spoil(_ answer: Answer, _ effect: FaultEffect?) -> Answer {
        var answer = answer
        switch effect {
        case .resetAfterCommit: answer.delivery = .reset
        case .truncate(let bytes):
            answer.delivery = .truncated(bytes: min(bytes ?? answer.body.count / 2, answer.body.count))
        case .trickle(let bytes, let pause):
            answer.delivery = .trickled(bytes: bytes, pause: .milliseconds(pause))
        default: break
        }
        return answer
    }

    private static var reset: Answer {
        var answer = Answer(status: 500)
        answer.delivery = .reset
        return answer
    }

    private func throttled(_ retryAfter: RetryAfter) -> Answer {
        var answer = errors.plain(
            429, "TooManyRequests", "Too many requests. Please try again after the time in Retry-After.")
        add(retryAfter, to: &answer)
        return answer
    }

    private func outage(_ status: Int, html: Bool, _ retryAfter: RetryAfter) -> Answer {
        var answer: Answer
        if html {
            let page =
                "<html><head><title>\(status)</title></head><body><h2>Our services aren't available right now"
                + "</h2><p>We're working to restore all services as soon as possible.</p></body></html>"
            answer = Answer(status: status, contentType: "text/html", body: Array(page.utf8))
        } else {
            answer = errors.plain(status, Self.code(status), "The service is unavailable.")
        }
        add(retryAfter, to: &answer)
        return answer
    }

    private func add(_ retryAfter: RetryAfter, to answer: inout Answer) {
        switch retryAfter {
        case .absent: break
        case .seconds(let seconds): answer.add(.retryAfter, String(seconds))
        case .date(let seconds):
            answer.add(.retryAfter, HTTPDate.text(unixSeconds: errors.now + Int64(seconds)))
        }
    }

    private static func code(_ status: Int) -> String {
        switch status {
        case 500: "InternalServerError"
        case 502: "BadGateway"
        case 503: "ServiceUnavailable"
        case 504: "GatewayTimeout"
        default: "UnknownError"
        }
    }
}

/// Dates as HTTP headers hold them (RFC 9110 §5.6.7): `Sat, 21 Nov 2026 06:00:00 GMT`.
enum HTTPDate {
    static func text(unixSeconds: Int64) -> String {
        let iso = GraphDate(seconds: unixSeconds).text
        let days = Int(unixSeconds) / 86_400
        let civil = GraphDate.civil(days: days)
        let time = iso.dropFirst(11).prefix(8)
        let day = civil.day < 10 ? "0\(civil.day)" : "\(civil.day)"
        return "\(weekdays[(days + 4) % 7]), \(day) \(months[civil.month - 1]) \(civil.year) \(time) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
