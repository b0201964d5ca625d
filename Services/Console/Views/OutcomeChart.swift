import FoundationEssentials
import Operations
import Store

/// Runs by outcome over the last hours: a column for each hour, as the numbers that the template draws.
struct OutcomeChart: Sendable {
    struct Part: Sendable {
        let tone: String
        let y: Int
        let height: Int
    }

    struct Column: Sendable {
        let x: Int
        let parts: [Part]
        /// For instance «2026-11-21 14:00 UTC: 12 succeeded, 3 blocked».
        let words: String
    }

    static let columnWidth = 24
    private static let gap = 6
    private static let plotHeight = 120

    let width: Int
    let height: Int
    let barWidth: Int
    let columns: [Column]
    /// The most runs of an hour.
    let most: String
    let first: String
    let words: String

    /// Nil when nothing ended in these hours.
    init?(_ ended: [OperationsFigures.Ended], hours: Int, now: Date) {
        let byHour = Dictionary(grouping: ended) { Int($0.hour.timeIntervalSince1970 / 3_600) }
        let last = Int(now.timeIntervalSince1970 / 3_600)
        let range = (last - hours + 1)...last
        let totals = range.map { hour in byHour[hour]?.reduce(0) { $0 + $1.count } ?? 0 }
        guard let most = totals.max(), most > 0 else { return nil }
        columns = range.enumerated().map { index, hour in
            Self.column(
                byHour[hour] ?? [], x: index * Self.columnWidth, most: most,
                Date(timeIntervalSince1970: Double(hour) * 3_600))
        }
        width = hours * Self.columnWidth
        height = Self.plotHeight
        barWidth = Self.columnWidth - Self.gap
        self.most = Presentation.grouped(most)
        first = "\(hours) hours ago"
        words =
            "Runs by outcome in the last \(hours) hours: "
            + Self.sums(ended).map { "\(Presentation.grouped($0.count)) \($0.label)" }.joined(separator: ", ")
    }

    private static func column(
        _ ended: [OperationsFigures.Ended], x: Int, most: Int, _ hour: Date
    ) -> Column {
        var y = plotHeight
        var parts: [Part] = []
        for outcome in RunOutcome.allCases {
            let count = ended.filter { $0.outcome == outcome }.reduce(0) { $0 + $1.count }
            guard count > 0 else { continue }
            // What happened once is seen, too.
            let height = max(2, count * plotHeight / most)
            y -= height
            let badge = Presentation.badge(state: .completed, outcome: outcome, isWaiting: false)
            parts.append(Part(tone: badge.tone.rawValue, y: max(0, y), height: height))
        }
        let times = Times(now: hour, isExact: true) { _ in 0 }
        let sums = sums(ended).map { "\(Presentation.grouped($0.count)) \($0.label)" }
        return Column(
            x: x, parts: parts,
            words: "\(times.exact(hour)): \(sums.isEmpty ? "none" : sums.joined(separator: ", "))")
    }

    private static func sums(_ ended: [OperationsFigures.Ended]) -> [(label: String, count: Int)] {
        RunOutcome.allCases.compactMap { outcome in
            let count = ended.filter { $0.outcome == outcome }.reduce(0) { $0 + $1.count }
            let badge = Presentation.badge(state: .completed, outcome: outcome, isWaiting: false)
            return count > 0 ? (badge.label, count) : nil
        }
    }
}
