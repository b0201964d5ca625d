import JSON
internal import Operations
import Store

/// Devices as items of the ledger, and the items as counts.
enum DeviceTally {
    /// The longest device id that is recorded, in bytes. Graph's are GUIDs.
    private static let longestID = 512

    /// One item per device: its id, and its compliance state as received if it is one of the known. A device
    /// that can't be told from others, because it has no usable id, is a failed item; `position` is the number
    /// of devices before these.
    static func items(_ devices: [JSON], after position: Int) -> [Ledger.Item] {
        devices.enumerated().map { offset, device in
            guard let id = device["id"]?.string, (1...longestID).contains(id.utf8.count), !id.utf8.contains(0)
            else {
                return Ledger.Item(
                    key: "without id: \(position + offset)", state: .failed,
                    result: ProviderFailure.malformedAnswer.rawValue)
            }
            return Ledger.Item(
                key: id, state: .applied, result: state(device["complianceState"]?.string) ?? "other")
        }
    }

    private static func state(_ word: String?) -> String? {
        word.flatMap { count(of: $0) == nil ? nil : $0 }
    }

    /// The count that a compliance state belongs to. A state that is missing or new is never taken for one of
    /// these.
    private static func count(of state: String) -> SummaryCounts.Key? {
        switch state {
        case "compliant": .compliant
        case "noncompliant": .noncompliant
        case "unknown": .unknown
        case "conflict": .conflict
        case "error": .error
        case "inGracePeriod": .inGracePeriod
        case "configManager": .configManager
        default: nil
        }
    }

    /// The counts of what was recorded. `expected` is how many devices there should be, when the listing did
    /// not reach its end: the rest is untouched.
    static func counts(
        _ tally: [(state: Ledger.Item.State, result: String?, count: Int)], expected: Int?
    ) -> SummaryCounts {
        var counts = SummaryCounts()
        for key in [SummaryCounts.Key.total, .applied, .failed, .untouched] { counts[key] = 0 }
        for (state, result, count) in tally {
            counts[.total] += count
            switch state {
            case .applied:
                counts[.applied] += count
                counts[result.flatMap(Self.count) ?? .other] += count
            case .failed: counts[.failed] += count
            case .skipped, .planned: counts[.skipped] += count
            case .inDoubt: counts[.inDoubt] += count
            case .untouched: counts[.untouched] += count
            }
        }
        counts[.untouched] = max(0, (expected ?? 0) - counts[.total])
        counts[.total] += counts[.untouched]
        return counts
    }
}
