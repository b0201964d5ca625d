import FoundationEssentials
import Operations

/// What the filter bar says: `outcome:blocked reason:capability_missing tenant:contoso type:inventory.sync since:24h`.
/// Reading it never fails: what can't be understood is told, and the rest holds.
struct OperationsQuery: Sendable, Equatable {
    /// Who started it.
    enum Starter: Sendable, Equatable {
        case me, system
        case named(String)
    }

    /// The longest query, in characters.
    static let limit = 500

    var state: RunState?
    /// Whether it waits; only with ``state`` queued.
    var isWaiting: Bool?
    var outcome: RunOutcome?
    var operation: OperationType?
    var reason: RunReason?
    /// A part of a tenant's name, in any case.
    var tenant: String?
    var startedBy: Starter?
    var connection: ConnectionID?
    /// Not older than so many seconds.
    var sinceSeconds: Double?
    /// A run's id, alone in the bar.
    var run: RunID?
    /// What could not be understood, and what can.
    var faults: [String] = []

    init(_ text: String) {
        for word in Self.words(String(text.prefix(Self.limit))) { read(word) }
    }

    /// Words are apart by spaces; quotes keep spaces together: `tenant:"Contoso Ltd"`.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case _ where character.isWhitespace && !isQuoted:
                words.append(word)
                word = ""
            default: word.append(character)
            }
        }
        return (words + [word]).filter { !$0.isEmpty }
    }

    private mutating func read(_ word: String) {
        let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        guard parts.count == 2, !parts[1].isEmpty else { return readAlone(word) }
        let value = parts[1]
        switch parts[0].lowercased() {
        case "state": readState(value.lowercased())
        case "outcome": outcome = choice(value, "outcome")
        case "type": operation = choice(value, "type")
        case "reason":
            reason = RunReason(code: value.lowercased())
            if reason == nil { faults.append("There is no reason «\(value)».") }
        case "tenant": tenant = value
        case "by":
            startedBy =
                switch value.lowercased() {
                case "me": .me
                case "system": .system
                default: .named(value)
                }
        case "connection":
            connection = ConnectionID(value)
            if connection == nil { faults.append("«connection:» takes a connection's id.") }
        case "since":
            sinceSeconds = Self.seconds(value)
            if sinceSeconds == nil { faults.append("«since:» takes a length of time like 30m, 24h or 7d.") }
        default:
            faults.append(
                "«\(parts[0]):» is not known. Use outcome, state, reason, tenant, type, since, by, connection."
            )
        }
    }

    /// A word without a name before it: a run's id, or a part of a tenant's name.
    private mutating func readAlone(_ word: String) {
        if let id = RunID(word) { run = id } else { tenant = word }
    }

    private mutating func readState(_ value: String) {
        switch value {
        case "waiting": (state, isWaiting) = (.queued, true)
        case "queued": (state, isWaiting) = (.queued, false)
        case "active": faults.append("Use state:running, state:queued or state:waiting.")
        default: state = choice(value, "state")
        }
    }

    private mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ value: String, _ name: String
    ) -> Choice? {
        let found = Choice(rawValue: value.lowercased())
        if found == nil {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            faults.append("«\(name):\(value)» is not known. Use one of: \(known).")
        }
        return found
    }

    private static func seconds(_ text: String) -> Double? {
        let units: [Character: Double] = ["m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()),
            (1...10_000).contains(count)
        else { return nil }
        return Double(count) * unit
    }
}
