import Operations
import Store

/// What becomes of notifications on their way, in the words that people read.
enum DeliveryWords {
    /// Why a webhook is off. A word that this version does not know stays as it is.
    static func reason(_ word: String) -> String {
        switch word {
        case "person": "somebody switched it off"
        case "gone": "its receiver said that it is gone"
        case "failing": "nothing could be delivered for days"
        default: word
        }
    }

    /// How a try went. A word that this version does not know stays as it is.
    static func result(_ word: String, status: Int?, isMail: Bool) -> String {
        let answer = status.map { " (\(isMail ? "reply" : "status") \($0))" } ?? ""
        let text =
            switch TriedDelivery.Result(rawValue: word) {
            case .delivered: "taken by the receiver"
            case .refused: "the receiver refused it"
            case .unreachable: "the receiver could not be reached"
            case .timeout: "no answer in time"
            case .notSent:
                "not sent: the address is not allowed, or the platform engineer has to look at the notifier"
            case nil: word
            }
        return text + answer
    }
}
