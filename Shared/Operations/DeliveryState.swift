/// Where a notification stands on its way to a webhook or by e-mail.
package enum DeliveryState: String, Sendable {
    /// A try is due, under way or planned.
    case waiting
    case delivered
    /// No further try: the last one failed, or nobody wants it any more.
    case givenUp = "given_up"
}

extension Presentation {
    /// The badge of a notification on its way.
    package static func badge(delivery state: DeliveryState) -> Badge {
        switch state {
        case .waiting: Badge(label: "waiting", tone: .waiting, icon: "◔")
        case .delivered: Badge(label: "delivered", tone: .good, icon: "✓")
        case .givenUp: Badge(label: "given up", tone: .bad, icon: "✗")
        }
    }

    /// The badge of whether a webhook is used, and whether its receiver takes what it is sent.
    package static func badge(webhookIsEnabled isEnabled: Bool, isFailing: Bool) -> Badge {
        guard isEnabled else { return Badge(label: "off", tone: .neutral, icon: "⊖") }
        return isFailing
            ? Badge(label: "failing", tone: .bad, icon: "✗") : Badge(label: "on", tone: .good, icon: "⊕")
    }

    /// The badge of a message that is to be put back or dropped, until that is done.
    package static func badge(wish: DeadLetterWish) -> Badge {
        switch wish {
        case .redrive: Badge(label: "is being put back", tone: .active, icon: "▶")
        case .drop: Badge(label: "is being dropped", tone: .active, icon: "▶")
        }
    }

    /// The badge of whether something that was taken away is off the wire.
    package static func badge(settled isSettled: Bool) -> Badge {
        isSettled
            ? Badge(label: "settled", tone: .good, icon: "✓")
            : Badge(label: "in doubt", tone: .mixed, icon: "?")
    }
}
