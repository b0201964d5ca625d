import Synchronization

/// The cells of a metric, one for each set of label values.
///
/// At most 1,000: an unbounded value (an id, say) must neither eat the memory nor the database of whoever
/// collects. What comes beyond is counted in one cell whose values are all `other`.
final class LabelledCells<Cell: AnyObject & Sendable>: Sendable {
    static var mostSets: Int { 1_000 }

    private let labels: [String]
    private let make: @Sendable () -> Cell
    private let cells: Mutex<[[String]: Cell]>

    init(labels: [String], make: @escaping @Sendable () -> Cell) {
        self.labels = labels
        self.make = make
        // Without labels there is one cell, which is shown from the beginning.
        cells = Mutex(labels.isEmpty ? [[]: make()] : [:])
    }

    subscript(values: [String]) -> Cell {
        precondition(values.count == labels.count, "\(values.count) values for labels \(labels)")
        return cells.withLock { cells in
            if let cell = cells[values] { return cell }
            let key = cells.count < Self.mostSets ? values : labels.map { _ in "other" }
            if let cell = cells[key] { return cell }
            let cell = make()
            cells[key] = cell
            return cell
        }
    }

    /// All cells, sorted by their values.
    var sorted: [(values: [String], cell: Cell)] {
        cells.withLock { Array($0) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { (values: $0.key, cell: $0.value) }
    }
}
