import JSON
import Operations
import SeededRandom
import Testing

/// What two versions of a document differ in.
struct DocumentDifferenceTests {
    private struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let earlier: JSON
        let later: JSON
        let expected: [DocumentDifference]

        var testDescription: String { name }
    }

    private static func place(_ path: [String], _ before: JSON?, _ after: JSON?) -> DocumentDifference {
        DocumentDifference(path: path, before: before, after: after)
    }

    private static let cases: [Case] = [
        Case(name: "equal", earlier: ["a": [1, ["b": 2]]], later: ["a": [1, ["b": 2]]], expected: []),
        Case(
            name: "a member changed", earlier: ["a": ["b": 1, "c": 2]], later: ["a": ["b": 1, "c": 3]],
            expected: [place(["a", "c"], 2, 3)]),
        Case(
            name: "members came and went", earlier: ["old": 1, "same": 0], later: ["same": 0, "new": 2],
            expected: [place(["old"], 1, nil), place(["new"], nil, 2)]),
        Case(name: "absent is empty", earlier: ["a": nil], later: [:], expected: []),
        Case(
            name: "what was empty is filled", earlier: ["a": nil], later: ["a": "x"],
            expected: [place(["a"], nil as JSON, "x")]),
        Case(
            name: "another sort of value", earlier: ["a": [1]], later: ["a": ["b": 1]],
            expected: [place(["a"], [1], ["b": 1])]),
        Case(
            name: "elements came and went", earlier: ["a": [1, 2, 3]], later: ["a": [3, 4, 1]],
            expected: [place(["a", "2"], 2, nil), place(["a", "2"], nil, 4)]),
        Case(
            name: "an element stands once more", earlier: ["a": ["x"]], later: ["a": ["x", "x"]],
            expected: [place(["a", "2"], nil, "x")]),
        Case(
            name: "another order", earlier: ["a": [1, 2]], later: ["a": [2, 1]],
            expected: [place(["a"], [1, 2], [2, 1])]),
        Case(
            name: "the same element by its id", earlier: [["id": "r1", "n": 1], ["id": "r2", "n": 1]],
            later: [["id": "r2", "n": 2], ["id": "r1", "n": 1]], expected: [place(["r2", "n"], 1, 2)]),
        Case(
            name: "the same setting by its definition",
            earlier: [["settingInstance": ["settingDefinitionId": "d", "value": 1]]],
            later: [["settingInstance": ["settingDefinitionId": "d", "value": 2]]],
            expected: [place(["d", "settingInstance", "value"], 1, 2)]),
        Case(
            name: "the same assignment by its group",
            earlier: [["intent": "include", "target": ["@odata.type": "g", "groupId": "one"]]],
            later: [["intent": "exclude", "target": ["@odata.type": "g", "groupId": "one"]]],
            expected: [place(["one", "intent"], "include", "exclude")]),
        Case(name: "the whole", earlier: 1, later: "1", expected: [place([], 1, "1")]),
    ]

    @Test(arguments: cases)
    private func isAsItSays(_ row: Case) {
        #expect(DocumentDifference.all(from: row.earlier, to: row.later) == row.expected)
    }

    /// Backwards the same places are found, the other way round; and none in a document and itself.
    @Test func backwardsItIsTheSame() {
        var random = SplitMix(seed: 11)
        for _ in 0..<500 {
            let (one, other) = (Self.document(&random, depth: 3), Self.document(&random, depth: 3))
            #expect(DocumentDifference.all(from: one, to: one).isEmpty)
            let forwards = DocumentDifference.all(from: one, to: other)
            let backwards = DocumentDifference.all(from: other, to: one)
            #expect(Set(forwards.map(\.path)) == Set(backwards.map(\.path)))
            #expect(forwards.count == backwards.count)
            // Whatever is not empty in one of them only is told.
            if forwards.isEmpty { #expect(Self.plain(one) == Self.plain(other)) }
        }
    }

    private static func document(_ random: inout SplitMix, depth: Int) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 6 : 4), using: &random) {
        case 0: .null
        case 1: .int(Int.random(in: 0..<3, using: &random))
        case 2: .string(["a", "b"].randomElement(using: &random)!)
        case 3: .bool(Bool.random(using: &random))
        case 4:
            .array(
                (0..<Int.random(in: 0..<4, using: &random)).map { _ in document(&random, depth: depth - 1) })
        default:
            .object(
                JSONObject(
                    ["x", "y", "z"].filter { _ in Bool.random(using: &random) }.map {
                        ($0, document(&random, depth: depth - 1))
                    }))
        }
    }

    /// Without members that are null.
    private static func plain(_ value: JSON) -> JSON {
        switch value {
        case .object(let object):
            .object(
                JSONObject(object.members.filter { !$0.value.isNull }.map { ($0.key, plain($0.value)) }))
        case .array(let elements): .array(elements.map(plain))
        default: value
        }
    }
}
