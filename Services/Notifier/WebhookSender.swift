import Curl
import FoundationEssentials
import Logging
import Operations
import Sealing
import Store

/// Sends one webhook delivery, once, and says what came of it.
struct WebhookSender: Sendable {
    /// How long a receiver may take, from name resolution to the end of its answer.
    static let timeout = Duration.seconds(20)
    /// The most bytes of an answer; nobody reads them.
    private static let answerLimit = 256 * 1_024
    /// The status by which a receiver says that it wants no more, ever.
    private static let gone = 410

    let client: CurlClient
    let opener: Opener
    let schedule: DeliverySchedule
    /// For development: plain HTTP, and addresses that are not of the public Internet.
    let allowsPrivate: Bool
    var timeout = WebhookSender.timeout
    let logger: Logger

    /// One try. Nil when it was cut short by this program's own end: nobody knows how it went, and it is
    /// repeated under the same id.
    func send(_ delivery: DueDelivery) async -> TriedDelivery? {
        guard case .webhook(let endpoint) = delivery.target else { return TriedDelivery(delivery, nil) }
        do {
            let response = try await client.perform(request(for: delivery, endpoint))
            return tried(delivery, response)
        } catch let error as NotSendable {
            return notSent(delivery, error.reason)
        } catch let error as TransferError {
            switch error.kind {
            case .cancelled: return nil
            case .timeout: return failed(delivery, .timeout)
            case .invalidRequest: return notSent(delivery, "the URL can't be used")
            case .refusedAddress: return notSent(delivery, "the address is not of the public Internet")
            case .overloaded: return notSent(delivery, "too many transfers are under way")
            case .connect, .resolve, .tls, .reset, .bodyTooLarge, .truncated, .protocolViolation,
                .mailRefused:
                return failed(delivery, .unreachable)
            }
        } catch {
            return notSent(delivery, "\(error)")
        }
    }

    private func request(
        for delivery: DueDelivery, _ endpoint: DueDelivery.Endpoint
    ) throws -> HTTPRequest {
        guard let url = try address(of: endpoint, delivery.workspaceID) else {
            throw NotSendable(reason: "the URL is not https")
        }
        guard let message = delivery.event.flatMap(WebhookMessage.init) else {
            throw NotSendable(reason: "the event can't be sent")
        }
        let keys = try endpoint.keys.map { try open($0, of: endpoint, delivery.workspaceID) }
        guard !keys.isEmpty else { throw NotSendable(reason: "it has no signing key") }
        return HTTPRequest(
            method: "POST", url: url, headers: try message.headers(at: Date(), signedWith: keys),
            body: message.body, timeout: timeout, bodyLimit: Self.answerLimit,
            addressPolicy: allowsPrivate ? .any : .publicOnly)
    }

    private func address(of endpoint: DueDelivery.Endpoint, _ workspace: WorkspaceID) throws -> String? {
        let opened = try opener.open(
            Sealed(endpoint.address),
            .webhookAddress(workspace: workspace.uuid, webhook: endpoint.id.uuid))
        let text = opened.reveal { String(decoding: $0, as: UTF8.self) }
        return WebhookAddress(text, allowsHTTP: allowsPrivate)?.text
    }

    private func open(
        _ key: DueDelivery.Key, of endpoint: DueDelivery.Endpoint, _ workspace: WorkspaceID
    ) throws -> SigningKey {
        let opened = try opener.open(
            Sealed(key.secret),
            .webhookKey(workspace: workspace.uuid, webhook: endpoint.id.uuid, number: key.number))
        guard let signing = SigningKey(opened, endpoint.signing) else {
            throw NotSendable(reason: "the signing key \(key.number) is none")
        }
        return signing
    }

    /// A redirect is a refusal like others: it could lead anywhere.
    private func tried(_ delivery: DueDelivery, _ response: HTTPResponse) -> TriedDelivery {
        switch response.status {
        case 200..<300:
            return TriedDelivery(delivery, .delivered, status: response.status)
        case Self.gone:
            return TriedDelivery(delivery, .refused, status: response.status, isGone: true)
        default:
            return failed(
                delivery, .refused, status: response.status,
                retryAfterSeconds: response.headers.retryAfterSeconds(now: Date()))
        }
    }

    private func failed(
        _ delivery: DueDelivery, _ result: TriedDelivery.Result, status: Int? = nil,
        retryAfterSeconds: Double? = nil
    ) -> TriedDelivery {
        let delay = schedule.delay(
            after: delivery.attempt, retryAfterSeconds: retryAfterSeconds, random: Double.random(in: 0..<1))
        return TriedDelivery(delivery, result, status: status, nextInSeconds: delay)
    }

    /// Something to be put right on our side or by the webhook's owner, so it is tried again on the schedule.
    private func notSent(_ delivery: DueDelivery, _ reason: String) -> TriedDelivery {
        logger.warning(
            "a webhook was not sent",
            metadata: [
                "delivery": "\(delivery.id)", "run": "\(delivery.runID)", "webhook": "\(delivery.lane)",
                "reason": "\(reason)",
            ])
        return failed(delivery, .notSent)
    }
}

extension Sealed {
    fileprivate init(_ value: SealedValue) { self.init(keyID: KeyID(value.keyID), bytes: value.bytes) }
}

/// Why there is nothing to send.
private struct NotSendable: Error {
    let reason: String
}
