/// The rows of one statement, in the server's memory form: nothing is decoded before it is asked for.
///
/// A row keeps the whole result alive; copy values out of it to keep them for long.
package struct Rows: RandomAccessCollection, Sendable {
    private let result: ResultSet

    init(_ result: ResultSet) { self.result = result }

    package var startIndex: Int { 0 }
    package var endIndex: Int { result.rowCount }

    package subscript(position: Int) -> Row {
        precondition(position >= 0 && position < result.rowCount, "row \(position) of \(result.rowCount)")
        return Row(result: result, number: Int32(position))
    }

    /// The rows that an INSERT, UPDATE or DELETE touched, or that a query returned.
    package var affected: Int { result.affected }

    /// What was done, such as `COMMIT`.
    var commandTag: String { result.commandTag }
}
