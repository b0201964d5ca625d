import JSON
import Testing

/// What RFC 8259 allows, and what it means.
struct AcceptanceTests {
    static let values: [(text: String, value: JSON)] = [
        ("null", .null), ("true", .bool(true)), ("false", .bool(false)),
        (#""""#, .string("")), ("[]", .array([])), ("{}", .object(JSONObject())),
        (" \t\r\n null \t\r\n ", .null),
        ("[ ]", .array([])), ("{ \n }", .object(JSONObject())),
        ("[1,2,3]", [1, 2, 3]),
        (" [ 1 , \"a\" , null , [ true ] ] ", [1, "a", nil, [true]]),
        (#"{"a":1,"b":{"c":[]}}"#, ["a": 1, "b": ["c": []]]),
        (#" { "a" : 1 , "b" : 2 } "#, ["a": 1, "b": 2]),
        (#"{"":1}"#, ["": 1]),
        (#"{"a":1,"A":2}"#, ["a": 1, "A": 2]),
        ("[[[[[[[[[[]]]]]]]]]]", [[[[[[[[[[]]]]]]]]]]),
    ]

    @Test(arguments: values)
    func `is read as`(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
    }

    static let numbers: [(text: String, value: JSON)] = [
        ("0", .integer(0)), ("-0", .integer(0)), ("1", .integer(1)), ("-1", .integer(-1)),
        ("10", .integer(10)), ("1234567890", .integer(1_234_567_890)),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        // One beyond 64 bits is a number, and no longer a whole one.
        ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("-9223372036854775809", .number(-9_223_372_036_854_775_808)),
        ("18446744073709551616", .number(18_446_744_073_709_551_616)),
        ("0.0", .number(0)), ("-0.0", .number(0)), ("1.0", .number(1)), ("0.5", .number(0.5)),
        ("-0.25", .number(-0.25)), ("3.14159", .number(3.14159)),
        ("1e3", .number(1_000)), ("1E3", .number(1_000)), ("1e+3", .number(1_000)),
        ("1e-3", .number(0.001)), ("-1.5E+2", .number(-150)), ("0e0", .number(0)),
        ("1e03", .number(1_000)), ("1e00000000000000000001", .number(10)),
        ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
        ("5e-324", .number(.leastNonzeroMagnitude)), ("1e-400", .number(0)),
    ]

    @Test(arguments: numbers)
    func `a number is read as`(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
        #expect(try JSON(parsing: "[\(text)]") == .array([value]))
    }

    @Test func `the sign of a zero with a point is kept`() throws {
        #expect(try JSON(parsing: "-0.0").double?.sign == .minus)
    }

    static let strings: [(text: String, scalars: [UInt32])] = [
        (#""\"""#, [0x22]), (#""\\""#, [0x5C]), (#""\/""#, [0x2F]), (#""/""#, [0x2F]),
        (#""\b""#, [0x08]), (#""\f""#, [0x0C]), (#""\n""#, [0x0A]), (#""\r""#, [0x0D]), (#""\t""#, [0x09]),
        (#""\u0000""#, [0]), (#""\u001f""#, [0x1F]), (#""\u001F""#, [0x1F]), (#""\u0041""#, [0x41]),
        (#""\u00e9""#, [0xE9]), (#""\u00E9""#, [0xE9]), (#""\u20ac""#, [0x20AC]), (#""\uFFFF""#, [0xFFFF]),
        (#""\uD7FF""#, [0xD7FF]), (#""\uE000""#, [0xE000]),
        (#""\uD800\uDC00""#, [0x10000]), (#""\uD83D\uDE00""#, [0x1F600]), (#""\uDBFF\uDFFF""#, [0x10FFFF]),
        (#""a\u0062c""#, [0x61, 0x62, 0x63]),
        (#""\u0061\\u0062""#, [0x61, 0x5C, 0x75, 0x30, 0x30, 0x36, 0x32]),
        // An escaped base and its mark stay two scalars.
        (#""e\u0301""#, [0x65, 0x301]),
        ("\"\u{7F}\u{80}\u{2028}\u{10FFFF}\"", [0x7F, 0x80, 0x2028, 0x10FFFF]),
    ]

    @Test(arguments: strings)
    func `a string is read as`(text: String, scalars: [UInt32]) throws {
        let string = try #require(try JSON(parsing: text).string)
        #expect(string.unicodeScalars.map(\.value) == scalars)
        // The same as a member's name.
        let object = try JSON(parsing: "{\(text):1}").object
        #expect(object?.keys.first.map { $0.unicodeScalars.map(\.value) } == scalars)
    }

    @Test func `every code unit has its escape, in either case`() throws {
        let digits = Array("0123456789abcdef"), capitals = Array("0123456789ABCDEF")
        for unit in UInt32(0)...0xFFFF {
            let nibbles = [unit >> 12, unit >> 8, unit >> 4, unit].map { Int($0 & 15) }
            let lower = "\"\\u" + String(nibbles.map { digits[$0] }) + "\""
            let upper = "\"\\u" + String(nibbles.map { capitals[$0] }) + "\""
            guard let scalar = Unicode.Scalar(unit) else {
                #expect(throws: JSON.ParseError.self) { try JSON(parsing: lower) }
                continue
            }
            let value = JSON.string(String(Character(scalar)))
            guard try JSON(parsing: lower) == value, try JSON(parsing: upper) == value else {
                Issue.record("\(lower) is read as something else")
                return
            }
        }
    }

    @Test(arguments: [1, 12, 13, 200])
    func `an object keeps the order of its members`(count: Int) throws {
        let keys = (0..<count).map { "k\(($0 &* 7_919) % 1_009)" }
        let text = "{" + keys.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        let json = try JSON(parsing: text)
        #expect(json.object?.keys == keys)
        #expect(json.text == text)
    }

    @Test func `names are told apart by their bytes, as RFC 8259 section 8.3 has it`() throws {
        let object = try #require(try JSON(parsing: #"{"\u00e9":1,"e\u0301":2}"#).object)
        #expect(object.members.map(\.value) == [1, 2])
        #expect(object["\u{E9}"] == 1)
        #expect(object["e\u{301}"] == 2)
        let many = (0..<13).map { "\"k\($0)\":0" }.joined(separator: ",")
        #expect(try JSON(parsing: #"{"\u00e9":1,"e\u0301":2,"# + many + "}").object?.members.count == 15)
    }

    @Test(arguments: [("[", "]"), (#"{"a":"#, "}")])
    func `sixty-four levels are accepted and one more is refused`(open: String, close: String) throws {
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + (open == "[" ? "" : "1")
                + String(repeating: close, count: depth)
        }
        #expect(JSON.depthLimit == 64)
        #expect(throws: Never.self) { try JSON(parsing: nested(64)) }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: nested(65)) }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: nested(100_000)) }
    }

    @Test func `depth is nesting, not the number of values`() throws {
        let wide = "[" + Array(repeating: "[[]]", count: 500).joined(separator: ",") + "]"
        #expect(try JSON(parsing: wide).array?.count == 500)
    }
}
