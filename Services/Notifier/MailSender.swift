import Curl
import FoundationEssentials
import Logging
import Operations
import Store

/// Sends one mail, once, and says what came of it.
struct MailSender: Sendable {
    /// From the connection to the relay's answer.
    static let timeout = Duration.seconds(60)
    /// What a relay answers that knows us not, or wants other credentials or more safety: nothing about the recipient.
    private static let relayTrouble: Set<Int> = [454, 530, 534, 535, 538]

    let client: CurlClient
    let settings: MailSettings
    let schedule: DeliverySchedule
    var timeout = MailSender.timeout
    let logger: Logger

    /// One try. Nil when it was cut short by this program's own end: the relay may have taken it, and it is repeated
    /// under the same Message-ID.
    func send(_ delivery: DueDelivery) async -> TriedDelivery? {
        guard case .email(let address) = delivery.target else { return TriedDelivery(delivery, nil) }
        do {
            try await client.send(mail(delivery, to: address))
            return TriedDelivery(delivery, .delivered)
        } catch {
            return tried(delivery, error)
        }
    }

    private func mail(_ delivery: DueDelivery, to address: String) -> Mail {
        let text = MailText(delivery, console: settings.console)
        return Mail(
            relay: settings.relay, sender: settings.sender.text, recipients: [address], subject: text.subject,
            text: text.text, messageID: "\(delivery.id)@\(settings.sender.domain)", date: delivery.createdAt,
            timeout: timeout)
    }

    private func tried(_ delivery: DueDelivery, _ error: TransferError) -> TriedDelivery? {
        switch error.kind {
        case .cancelled: return nil
        case .timeout: return failed(delivery, .timeout)
        case .mailRefused(let code) where Self.relayTrouble.contains(code):
            return notSent(delivery, "the relay refused us", status: code)
        case .mailRefused(let code) where code >= 500:
            // For good: the same mail to the same address is refused again.
            return TriedDelivery(delivery, .refused, status: code)
        case .mailRefused(let code): return failed(delivery, .refused, status: code)
        case .tls: return notSent(delivery, "there was no TLS with the relay")
        case .invalidRequest: return notSent(delivery, "the mail can't be sent as it is")
        case .refusedAddress:
            return notSent(delivery, "plain text is for a relay on the own machine only")
        case .overloaded: return notSent(delivery, "too many mails wait")
        case .connect, .resolve, .reset, .bodyTooLarge, .truncated, .protocolViolation:
            return failed(delivery, .unreachable)
        }
    }

    private func failed(
        _ delivery: DueDelivery, _ result: TriedDelivery.Result, status: Int? = nil
    ) -> TriedDelivery {
        let delay = schedule.delay(
            after: delivery.attempt, retryAfterSeconds: nil, random: Double.random(in: 0..<1))
        return TriedDelivery(delivery, result, status: status, nextInSeconds: delay)
    }

    /// Something to be put right on our side, so it is tried again on the schedule.
    private func notSent(_ delivery: DueDelivery, _ reason: String, status: Int? = nil) -> TriedDelivery {
        var metadata: Logger.Metadata = [
            "delivery": "\(delivery.id)", "run": "\(delivery.runID)", "reason": "\(reason)",
        ]
        if let status { metadata["status"] = "\(status)" }
        logger.warning("a mail was not sent", metadata: metadata)
        return failed(delivery, .notSent, status: status)
    }
}
