package import FoundationEssentials
package import Operations
internal import Postgres

/// A notification that is to be delivered now and belongs to whoever claimed it, until its lease ends.
package struct DueDelivery: Sendable {
    /// Where it goes.
    package enum Target: Sendable {
        case webhook(Endpoint)
        /// An e-mail address.
        case email(String)
    }

    /// A webhook, with everything secret sealed.
    package struct Endpoint: Sendable {
        package let id: WebhookID
        package let signing: WebhookSigning
        package let address: SealedValue
        /// Those that sign now, the latest first.
        package let keys: [Key]
    }

    /// One of a webhook's signing keys.
    package struct Key: Sendable {
        package let number: Int
        package let secret: SealedValue
    }

    /// The notification's id: the same on every try.
    package let id: DeliveryID
    package let runID: RunID
    package let workspaceID: WorkspaceID
    package let recipient: UserID
    /// What a slow receiver holds up: the webhook, or the person who is mailed.
    package let lane: UUID
    package let title: String
    package let body: String
    package let createdAt: Date
    /// The stored event; nil when this version can't read it.
    package let event: TerminalEvent?
    /// 1 for the first try.
    package let attempt: Int
    /// Nil when nobody wants it any more.
    package let target: Target?
    let leaseUntil: Date

    /// The webhook that it goes to; nil when it goes elsewhere or nowhere.
    var webhookID: WebhookID? { if case .webhook(let endpoint) = target { endpoint.id } else { nil } }
}

/// A value that only the notifier can open.
package struct SealedValue: Sendable, Hashable {
    /// The key pair that it is sealed to.
    package let keyID: String
    package let bytes: [UInt8]

    package init(keyID: String, bytes: [UInt8]) {
        self.keyID = keyID
        self.bytes = bytes
    }
}

/// How what is sent to a webhook is signed.
package enum WebhookSigning: String, Sendable, CaseIterable {
    /// With a secret that both sides know: `v1` of the Standard Webhooks.
    case hmacSHA256 = "hmac_sha256"
    /// With a private key; the receiver has the public one: `v1a`.
    case ed25519
}

/// What came of a delivery.
package struct TriedDelivery: Sendable {
    /// How a try went.
    package enum Result: String, Sendable, CaseIterable {
        /// The receiver took it.
        case delivered
        /// It answered that it does not.
        case refused
        /// It could not be reached, or the answer broke off.
        case unreachable
        /// It did not answer in time.
        case timeout
        /// Nothing was sent: the address is not allowed, a secret can't be opened, or the relay wants none of us.
        case notSent = "not_sent"

        /// Whether it says something about the receiver.
        var blamesReceiver: Bool { self == .refused || self == .unreachable || self == .timeout }
    }

    package let delivery: DueDelivery
    /// Nil when there was no try: nobody wants it any more.
    package let result: Result?
    /// The receiver's HTTP status, or the mail relay's reply code; nil when none arrived.
    package let status: Int?
    /// When the next try is due, in seconds from now; nil when there is none.
    package let nextInSeconds: Double?
    /// The receiver said that the endpoint is gone for good.
    package let isGone: Bool

    package init(
        _ delivery: DueDelivery, _ result: Result?, status: Int? = nil, nextInSeconds: Double? = nil,
        isGone: Bool = false
    ) {
        self.delivery = delivery
        self.result = result
        self.status = status
        self.nextInSeconds = nextInSeconds
        self.isGone = isGone
    }

    /// Whether its webhook may have to be switched off now.
    var mayEndWebhook: Bool {
        isGone || delivery.webhookID != nil && result?.blamesReceiver == true && nextInSeconds == nil
    }
}
