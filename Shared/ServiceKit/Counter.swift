import Synchronization

/// A number that only grows, one for each set of label values.
package final class Counter: MetricFamily {
    /// The number of one set. Whoever counts often keeps it: adding is one atomic instruction.
    package final class Cell: Sendable {
        fileprivate let count = Atomic<Int>(0)

        /// Adds `amount`, which is not negative.
        package func add(_ amount: Int = 1) {
            precondition(amount >= 0, "a counter only grows")
            count.wrappingAdd(amount, ordering: .relaxed)
        }

        package var value: Int { count.load(ordering: .relaxed) }
    }

    let shape: MetricShape
    private let cells: LabelledCells<Cell>

    init(_ shape: MetricShape) {
        self.shape = shape
        cells = LabelledCells(labels: shape.labels) { Cell() }
    }

    /// The number for these label values, in the order of the labels.
    package func with(_ values: String...) -> Cell { cells[values] }

    /// Adds `amount` to the number for these label values.
    package func add(_ amount: Int = 1, _ values: String...) { cells[values].add(amount) }

    func samples() -> [String] {
        cells.sorted.map { MetricText.sample(shape.name, shape.labels, $0.values, String($0.cell.value)) }
    }
}
