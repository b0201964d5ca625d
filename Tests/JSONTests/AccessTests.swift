import JSON
import Testing

/// How values are looked at and changed.
struct AccessTests {
    static let values: [JSON] = [nil, true, 7, 2.5, "text", [1, 2], ["a": 1]]

    @Test(arguments: values)
    func `each value answers to its own kind only`(value: JSON) {
        let kinds: [Bool] = [
            value.isNull, value.bool != nil, value.integer != nil, value.string != nil, value.array != nil,
            value.object != nil,
        ]
        #expect(kinds.count { $0 } == (value == 2.5 ? 0 : 1))
        #expect((value.double != nil) == (value == 7 || value == 2.5))
        #expect((value["a"] != nil) == (value == ["a": 1]))
        #expect((value[1] != nil) == (value == [1, 2]))
    }

    @Test func `whole numbers and others stay apart`() {
        #expect(JSON.integer(1) != .number(1))
        #expect(JSON.integer(7).double == 7)
        #expect(JSON.number(7).integer == nil)
    }

    @Test func `an index outside the array gives nothing`() {
        let array: JSON = [1]
        #expect(array[0] == 1)
        #expect(array[1] == nil)
        #expect(array[-1] == nil)
        #expect((["a": [["b": 5]]] as JSON)["a"]?[0]?["b"] == 5)
    }

    @Test func `setting keeps a member's place, appends a new one, and removes with nil`() {
        var object: JSONObject = ["a": 1, "b": 2, "c": 3]
        object["b"] = "two"
        object["d"] = 4
        #expect(object.keys == ["a", "b", "c", "d"])
        #expect(object["b"] == "two")
        object["a"] = nil
        object["x"] = nil
        #expect(object.keys == ["b", "c", "d"])
        object["e"] = .some(.null)
        #expect(object["e"] == .null)
        #expect(!object.isEmpty)
        #expect(JSONObject().isEmpty)
    }

    @Test func `equality and hash heed the order`() {
        let one: JSONObject = ["a": 1, "b": 2], same: JSONObject = ["a": 1, "b": 2]
        let turned: JSONObject = ["b": 2, "a": 1]
        #expect(one == same)
        #expect(one.hashValue == same.hashValue)
        #expect(one != turned)
        #expect(one != ["a": 1])
        #expect(Set<JSON>([.object(one), .object(same), .object(turned)]).count == 2)
    }

    @Test func `what may be absent is null`() {
        #expect(JSON.optional(nil as String?) == .null)
        #expect(JSON.optional("a") == "a")
        #expect(JSON.optional(nil as Int?) == .null)
        #expect(JSON.optional(5) == 5)
        #expect(JSON.int(-3) == .integer(-3))
    }

    @Test func `a name that stands twice in code ends the program`() async {
        await #expect(processExitsWith: .failure) {
            _ = JSONObject([("a", 1), ("a", 2)])
        }
    }
}
