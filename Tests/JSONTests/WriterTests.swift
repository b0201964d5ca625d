import JSON
import Testing

/// How values are written.
struct WriterTests {
    static let texts: [(value: JSON, text: String)] = [
        (nil, "null"), (true, "true"), (false, "false"), (0, "0"), (-1, "-1"),
        (.integer(.max), "9223372036854775807"), (.integer(.min), "-9223372036854775808"),
        (1.5, "1.5"), (1.0, "1.0"), (-0.25, "-0.25"), (1e300, "1e+300"),
        (.number(.nan), "null"), (.number(.infinity), "null"), (.number(-.infinity), "null"),
        ("", #""""#), ("a", #""a""#), (#"""#, #""\"""#), (#"\"#, #""\\""#), ("/", #""/""#),
        ("\n\r\t", #""\n\r\t""#), ("\u{8}\u{C}\u{0}\u{1F}", #""\u0008\u000c\u0000\u001f""#),
        ("\u{7F}é\u{2028}😀", "\"\u{7F}é\u{2028}😀\""), ("a\"b\\c\nd", #""a\"b\\c\nd""#),
        ([], "[]"), ([1], "[1]"), ([1, [2, []], "x"], #"[1,[2,[]],"x"]"#),
        (.object(JSONObject()), "{}"), (["b": 1, "a": [nil]], #"{"b":1,"a":[null]}"#),
        (["\"\n": 1], #"{"\"\n":1}"#),
    ]

    @Test(arguments: texts)
    func `is written as`(value: JSON, text: String) {
        #expect(value.text == text)
        #expect(value.bytes == Array(text.utf8))
    }

    static let canonical: [(text: String, canonical: String)] = [
        (#"{"b":1,"a":2}"#, #"{"a":2,"b":1}"#),
        (
            #" { "b" : { "d" : 1 , "c" : [ { "z" : 0 , "y" : 0 } ] } , "a" : 2 } "#,
            #"{"a":2,"b":{"c":[{"y":0,"z":0}],"d":1}}"#
        ),
        (#"[3,1,2]"#, "[3,1,2]"),
        // By bytes: capitals first, a beginning before the whole, what is not ASCII last.
        (#"{"é":1,"ab":2,"a":3,"B":4,"":5}"#, #"{"":5,"B":4,"a":3,"ab":2,"é":1}"#),
        // U+FF5E stands before U+1F600 in UTF-8, and after it in UTF-16.
        (#"{"\ud83d\ude00":1,"\uff5e":2}"#, "{\"\u{FF5E}\":2,\"😀\":1}"),
        ("1.0", "1.0"), ("1", "1"), (#""\u0041\/""#, #""A/""#),
    ]

    @Test(arguments: canonical)
    func `the canonical text is`(text: String, canonical: String) throws {
        let json = try JSON(parsing: text)
        #expect(String(decoding: json.canonicalBytes, as: UTF8.self) == canonical)
        #expect(try JSON(parsing: canonical).canonicalBytes == json.canonicalBytes)
    }

    @Test func `documents that differ in order alone have the same canonical bytes and are not equal`() throws
    {
        let one = try JSON(parsing: #"{"a":1,"b":[{"x":1,"y":2}]}"#)
        let other = try JSON(parsing: #"{"b":[{"y":2,"x":1}],"a":1}"#)
        #expect(one != other)
        #expect(one.canonicalBytes == other.canonicalBytes)
        #expect(one.bytes != other.bytes)
        #expect(try JSON(parsing: #"{"a":1,"b":[]}"#).canonicalBytes != one.canonicalBytes)
    }

    @Test func `a writer appends`() {
        var writer = JSONWriter()
        writer.write(string: "a\n")
        writer.write(1)
        #expect(writer.bytes == Array("\"a\\n\"1".utf8))
    }
}
