import Synchronization

/// How often values fell below each of some bounds, one count for each set of label values.
package final class Histogram: MetricFamily {
    /// Bounds for times from milliseconds to ten seconds.
    package static let seconds = [
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]

    package final class Cell: Sendable {
        fileprivate struct State {
            /// One count for each bound and one for what lies above; not cumulative.
            var counts: [Int]
            var sum = 0.0
        }

        private let bounds: [Double]
        fileprivate let state: Mutex<State>

        fileprivate init(bounds: [Double]) {
            self.bounds = bounds
            state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
        }

        /// Counts one value. NaN is dropped.
        package func observe(_ value: Double) {
            guard !value.isNaN else { return }
            let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
            state.withLock { state in
                state.counts[bucket] += 1
                state.sum += value
            }
        }

        /// Counts a time, in seconds.
        package func observe(_ time: Duration) { observe(time / .seconds(1)) }
    }

    let shape: MetricShape
    private let bounds: [Double]
    private let cells: LabelledCells<Cell>

    init(_ shape: MetricShape, buckets: [Double]) {
        precondition(
            !buckets.isEmpty && buckets.allSatisfy(\.isFinite)
                && zip(buckets, buckets.dropFirst()).allSatisfy { $0 < $1 },
            "the buckets of \(shape.name) don't rise")
        self.shape = shape
        bounds = buckets
        cells = LabelledCells(labels: shape.labels) { Cell(bounds: buckets) }
    }

    /// The counts for these label values, in the order of the labels.
    package func with(_ values: String...) -> Cell { cells[values] }

    /// Counts a time for these label values, in seconds.
    package func observe(_ time: Duration, _ values: String...) { cells[values].observe(time) }

    func samples() -> [String] { cells.sorted.flatMap { samples(of: $0.cell, $0.values) } }

    private func samples(of cell: Cell, _ values: [String]) -> [String] {
        let state = cell.state.withLock { $0 }
        var lines: [String] = []
        var total = 0
        for (bound, count) in zip(bounds + [.infinity], state.counts) {
            total += count
            lines.append(
                MetricText.sample(
                    shape.name + "_bucket", shape.labels + ["le"], values + [MetricText.number(bound)],
                    String(total)))
        }
        lines.append(
            MetricText.sample(shape.name + "_sum", shape.labels, values, MetricText.number(state.sum)))
        lines.append(MetricText.sample(shape.name + "_count", shape.labels, values, String(total)))
        return lines
    }
}
