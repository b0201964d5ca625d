import CLibPQ
import Glibc

/// One result of libpq, freed with its last row.
///
/// `@unchecked Sendable`: the library never changes a result after it has returned it, the functions used
/// here only read it, and it is freed once, by `deinit`. No other code of the module holds a result.
package final class ResultSet: @unchecked Sendable {
    let pointer: OpaquePointer
    let rowCount: Int
    let columnCount: Int32
    /// The columns' names, asked for once: every row looks up each of its columns. They live as long as the result.
    private let names: [UnsafePointer<CChar>?]

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
        rowCount = Int(PQntuples(pointer))
        columnCount = PQnfields(pointer)
        names = (0..<columnCount).map { PQfname(pointer, $0).map { UnsafePointer($0) } }
    }

    deinit { PQclear(pointer) }

    /// The rows that a change touched, or that a query returned.
    var affected: Int {
        guard let text = PQcmdTuples(pointer) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// What was done, such as `COMMIT` or `INSERT 0 1`.
    var commandTag: String {
        PQcmdStatus(pointer).map { String(cString: $0) } ?? ""
    }

    func typeNumber(_ column: Int32) -> UInt32 { PQftype(pointer, column) }

    func name(_ column: Int32) -> String {
        names[Int(column)].map { String(cString: $0) } ?? "?"
    }

    /// The position of the first column of this name.
    func position(named name: String) -> Int32? {
        var name = name
        return name.withUTF8 { wanted in
            guard let start = wanted.baseAddress else { return nil }
            let found = names.firstIndex { candidate in
                guard let candidate else { return false }
                return strlen(candidate) == wanted.count && memcmp(candidate, start, wanted.count) == 0
            }
            return found.map(Int32.init)
        }
    }

    /// The bytes of a cell, valid as long as the result; `nil` for NULL.
    func cell(_ row: Int32, _ column: Int32) -> UnsafeRawBufferPointer? {
        if PQgetisnull(pointer, row, column) == 1 { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(pointer, row, column), count: Int(PQgetlength(pointer, row, column)))
    }
}

/// How a column is named: by its name in the result, or by its position from 0.
package protocol ColumnKey: Sendable {
    func position(in result: ResultSet) throws(PostgresError) -> Int32
}

extension String: ColumnKey {
    package func position(in result: ResultSet) throws(PostgresError) -> Int32 {
        guard let found = result.position(named: self) else {
            throw PostgresError(.decoding, "the result has no column «\(self)»")
        }
        return found
    }
}

extension Int: ColumnKey {
    package func position(in result: ResultSet) throws(PostgresError) -> Int32 {
        guard self >= 0, self < Int(result.columnCount) else {
            throw PostgresError(.decoding, "the result has \(result.columnCount) columns, no column \(self)")
        }
        return Int32(self)
    }
}
