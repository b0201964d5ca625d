import JSON
import Testing

/// What is not JSON, and where the error says that it is.
struct RefusalTests {
    static let texts: [(text: String, offset: Int)] = [
        // Nothing, or too little.
        ("", 0), ("   ", 3), ("[", 1), ("{", 1), ("\"", 1), ("\"abc", 4), ("[1", 2), ("[1,", 3),
        (#"{"a""#, 4), (#"{"a":"#, 5), (#"{"a":1"#, 6), (#"{"a":1,"#, 7),
        // Something after the value.
        ("null null", 5), ("1 2", 2), ("[]]", 2), ("{}}", 2), ("{}x", 2), ("1,", 1), ("null\u{0}", 4),
        (#""a"b"#, 3), ("true//", 4),
        // Words.
        ("nul", 0), ("nulll", 4), ("True", 0), ("NULL", 0), ("tru", 0), ("undefined", 0), ("NaN", 0),
        ("Infinity", 0), ("-Infinity", 1), ("'a'", 0), ("a", 0),
        // Commas and colons.
        ("[,]", 1), ("[1,]", 3), ("[,1]", 1), ("[1,,2]", 3), ("[1 2]", 3), ("[1:2]", 2), ("{,}", 1),
        (#"{"a":1,}"#, 7), (#"{"a" 1}"#, 5), (#"{"a",1}"#, 4), (#"{"a":}"#, 5), (#"{"a"::1}"#, 5),
        (#"{"a":1 "b":2}"#, 7), ("{a:1}", 1), ("{1:1}", 1), ("{null:1}", 1), ("{'a':1}", 1),
        ("[1}", 2), (#"{"a":1]"#, 6), ("]", 0), ("}", 0), (",", 0), (":", 0),
        // Comments, and white space that is none.
        ("/**/1", 0), ("1/**/", 1), ("# a", 0), ("\u{0B}1", 0), ("\u{0C}1", 0), ("\u{A0}1", 0),
        ("\u{FEFF}1", 0), ("[\u{2028}]", 1),
    ]

    @Test(arguments: texts)
    func `is refused at`(text: String, offset: Int) {
        let error = #expect(throws: JSON.ParseError.self) { try JSON(parsing: text) }
        #expect(error?.offset == offset)
        #expect(error?.description == "not valid JSON at byte \(offset): \(error?.reason ?? "")")
    }

    @Test(arguments: [
        "-", "+1", "--1", "00", "01", "-01", "00.1", "1.", ".1", "-.1", "1.e1", "1e", "1e+", "1e-", "1E",
        "e1",
        "1.2.3", "1e2e3", "1e2.3", "0x10", "1_000", "1f", "1L", "٣", "１", "1 000", "--", "-a", "0-1", "1-",
        "1e400", "-1e400", "1e99999999999999999999", String(repeating: "9", count: 400),
    ])
    func `is no number`(text: String) {
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: text) }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: "[\(text)]") }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: "{\"a\":\(text)}") }
    }

    @Test(arguments: [
        // Unknown escapes.
        #"\a"#, #"\x41"#, #"\0"#, #"\'"#, #"\U0041"#, #"\N"#, #"\ "#, "\\\n", #"\é"#, #"\v"#,
        // Not four hexadecimal digits.
        #"\u"#, #"\u1"#, #"\u12"#, #"\u123"#, #"\u123g"#, #"\u+123"#, #"\u-123"#, #"\u 123"#, #"\u0x12"#,
        #"\u12 3"#, #"\u１234"#, #"\u{41}"#,
        // Halves of surrogate pairs.
        #"\ud800"#, #"\uD83D"#, #"\udbff"#, #"\udc00"#, #"\uDE00"#, #"\udfff"#, #"\ud800a"#, #"\ud800\n"#,
        #"\ud800\u"#, #"\ud800\u0041"#, #"\ud800\ud800"#, #"\udc00\ud800"#, #"\udc00\udc00"#,
        #"\udfff\udc00"#, #"\ud800\ue000"#,
        #"\ud800 \udc00"#,
        #"\ud83d\uDE0"#, #"\ud83d\\uDE00"#, #"\ud83d/uDE00"#,
    ])
    func `is no escape`(inside: String) {
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: "\"\(inside)\"") }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: "\"before \(inside) after\"") }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: "{\"\(inside)\":1}") }
        // The same where the text ends.
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: "\"\(inside)") }
    }

    @Test(arguments: UInt8(0)..<0x20)
    func `a control character in a string is refused, escaped it is not`(byte: UInt8) throws {
        let plain: [UInt8] = [0x22, 0x61, byte, 0x22]
        let error = #expect(throws: JSON.ParseError.self) { try JSON(parsing: plain) }
        #expect(error?.offset == 2)
        // After an escape the parser is on another path.
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: Array(#""\n"#.utf8) + [byte, 0x22]) }
        let escaped =
            Array("\"\\u00".utf8) + Array("0123456789abcdef".utf8)[Int(byte >> 4)...].prefix(1)
            + Array("0123456789abcdef".utf8)[Int(byte & 15)...].prefix(1) + [0x22]
        #expect(try JSON(parsing: escaped).string?.unicodeScalars.map(\.value) == [UInt32(byte)])
    }

    static let illFormed: [[UInt8]] = [
        [0x80], [0xBF], [0xFF], [0xFE], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE2, 0x82],
        [0xE2, 0x28, 0xA1], [0xE0, 0x80, 0xAF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
        [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
        [0xF8, 0x88, 0x80, 0x80, 0x80], [0x61, 0xE9, 0x62],
    ]

    @Test(arguments: illFormed)
    func `ill-formed UTF-8 is refused everywhere`(bytes: [UInt8]) {
        let quote: [UInt8] = [0x22]
        let texts: [[UInt8]] = [
            quote + bytes + quote, quote + Array(#"\n"#.utf8) + bytes + quote,
            Array("{\"".utf8) + bytes + Array("\":1}".utf8), bytes, bytes + Array("1".utf8),
            Array("1".utf8) + bytes, Array("[".utf8) + bytes + Array("]".utf8),
        ]
        for text in texts { #expect(throws: JSON.ParseError.self) { try JSON(parsing: text) } }
    }

    @Test func `other encodings are refused`() {
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: [0xEF, 0xBB, 0xBF, 0x31]) }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: [0xFF, 0xFE, 0x31, 0x00]) }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: [0x31, 0x00]) }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: [0x00, 0x31]) }
    }

    /// Up to twelve members the names are compared pairwise, above by a set: both sides of the edge.
    @Test(arguments: [2, 3, 11, 12, 13, 14, 100], [true, false])
    func `a name that stands twice is refused`(count: Int, isEscaped: Bool) throws {
        var members = (0..<count).map { "\"k\($0)\":\($0)" }
        #expect(throws: Never.self) { try JSON(parsing: "{" + members.joined(separator: ",") + "}") }
        for (first, second) in [(0, count - 1), (0, 1), (count - 2, count - 1)] {
            let before = members[second]
            members[second] = isEscaped ? "\"\\u006b\(first)\":0" : "\"k\(first)\":0"
            let text = "{" + members.joined(separator: ",") + "}"
            #expect(throws: JSON.ParseError.self) { try JSON(parsing: text) }
            #expect(throws: JSON.ParseError.self) { try JSON(parsing: "[{\"in\":\(text)}]") }
            members[second] = before
        }
    }

    @Test func `the same name may stand in different objects`() throws {
        #expect(try JSON(parsing: #"{"a":{"a":1},"b":[{"a":2},{"a":3}]}"#)["b"]?[1]?["a"] == 3)
    }

    @Test(arguments: [
        #"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00",true,false,null],"b":{}}"#, "[[[]],{\"k\":\"v\"}]",
        "\"\\n\\\\\"",
    ])
    func `no beginning of a text is a text`(text: String) {
        let bytes = Array(text.utf8)
        for end in bytes.indices {
            #expect(throws: JSON.ParseError.self) { try JSON(parsing: Array(bytes[..<end])) }
        }
    }
}
