import Synchronization

/// A number that goes up and down, one for each set of label values.
package final class Gauge: MetricFamily {
    package final class Cell: Sendable {
        private let bits = Atomic<UInt64>(0)

        package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

        package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

        package func add(_ amount: Double) {
            var old = bits.load(ordering: .relaxed)
            while true {
                let new = (Double(bitPattern: old) + amount).bitPattern
                let (exchanged, original) = bits.weakCompareExchange(
                    expected: old, desired: new, ordering: .relaxed)
                if exchanged { return }
                old = original
            }
        }
    }

    let shape: MetricShape
    private let cells: LabelledCells<Cell>

    init(_ shape: MetricShape) {
        self.shape = shape
        cells = LabelledCells(labels: shape.labels) { Cell() }
    }

    /// The number for these label values, in the order of the labels.
    package func with(_ values: String...) -> Cell { cells[values] }

    /// Sets the number for these label values.
    package func set(_ value: Double, _ values: String...) { cells[values].set(value) }

    func samples() -> [String] {
        cells.sorted.map {
            MetricText.sample(shape.name, shape.labels, $0.values, MetricText.number($0.cell.value))
        }
    }
}

/// A number that somebody else keeps.
final class SampledGauge: MetricFamily {
    let shape: MetricShape
    private let read: @Sendable () -> Double

    init(_ shape: MetricShape, read: @escaping @Sendable () -> Double) {
        self.shape = shape
        self.read = read
    }

    func samples() -> [String] { [MetricText.sample(shape.name, [], [], MetricText.number(read()))] }
}
