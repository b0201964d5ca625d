import Foundation
import Testing

@testable import AMQP

struct FieldTableTests {
    @Test func fieldsAreFoundReplacedAndRemovedByName() {
        var table: FieldTable = ["a": 1, "b": "x"]
        table["a"] = 2
        table["c"] = true
        table["b"] = nil
        table["none"] = nil
        #expect(table == ["a": 2, "c": true])
        #expect(table["a"]?.integer == 2 && table["a"]?.string == nil && table["b"] == nil)
        #expect(FieldTable().isEmpty)
    }

    @Test func everyKindComesBackThroughTheLibrarysForm() {
        let table: FieldTable = [
            "null": .null, "bool": .bool(true), "least": .integer(.min), "most": .integer(.max),
            "number": .number(-0.1), "text": "Grüße 🌍", "empty": "", "nul": "a\u{0}b",
            "bytes": .bytes([0, 1, 255]), "no bytes": .bytes([]),
            "time": .timestamp(Date(timeIntervalSince1970: 1_700_000_000)), "no list": .array([]),
            "list": .array([1, "x", .array([.null]), .table(["y": 2])]), "no table": .table([:]),
            "table": .table(["a": .table(["b": "c"])]),
        ]
        let memory = WireMemory()
        for _ in 0..<3 {
            #expect(FieldTable(memory.table(table)) == table)
            memory.recycle()
        }
    }

    @Test func sizesNamesAndNestingThatCanNotBeSentAreFound() {
        #expect(FieldTable().encodedSize() == 4)
        #expect((["a": "bc"] as FieldTable).encodedSize() == 4 + 1 + 1 + 1 + 4 + 2)
        #expect((["a": .array([1, true])] as FieldTable).encodedSize() == 4 + 2 + 5 + 9 + 2)
        #expect(([String(repeating: "n", count: 255): 1] as FieldTable).encodedSize() != nil)
        #expect(([String(repeating: "n", count: 256): 1] as FieldTable).encodedSize() == nil)
        #expect((["": 1] as FieldTable).encodedSize() == nil)
        #expect(nested(FieldTable.depthLimit).encodedSize() != nil)
        #expect(nested(FieldTable.depthLimit + 1).encodedSize() == nil)
    }

    @Test func whatIsNestedTooDeepIsReadAsNull() {
        let memory = WireMemory()
        var value: FieldValue? = .table(FieldTable(memory.table(nested(50))))
        var depth = 0
        while case .table(let table) = value {
            depth += 1
            value = table["n"]
        }
        #expect(depth == FieldTable.depthLimit && value == .null)
    }

    /// `depth` tables inside each other.
    private func nested(_ depth: Int) -> FieldTable {
        (1..<depth).reduce(["n": .null]) { table, _ in ["n": .table(table)] }
    }
}
