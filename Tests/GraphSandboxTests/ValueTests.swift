import JSON
import Testing

@testable import GraphSandbox

@Suite struct ValueTests {
    @Test func guidsAreReadInBothCasesAndWrittenInLower() throws {
        let text = "A71A5000-0000-4000-8000-00000000A995"
        #expect(try #require(GUID(text)).description == text.lowercased())
        for wrong in [
            "", "a71a5000", text + "0", text.replacing("-", with: "0"), text.replacing("A", with: "g"),
        ] {
            #expect(GUID(wrong) == nil, "\(wrong)")
        }
    }

    @Test func randomGuidsAreVersion4() {
        for _ in 0..<100 {
            let text = Array(GUID.random().description)
            #expect(text[14] == "4")
            #expect("89ab".contains(text[19]))
        }
    }

    @Test(arguments: [
        (GraphDate.never, "0001-01-01T00:00:00Z"), (GraphDate.forever, "9999-12-31T23:59:59Z"),
        (GraphDate(seconds: 0), "1970-01-01T00:00:00Z"),
        (GraphDate(seconds: 951_782_400), "2000-02-29T00:00:00Z"),
        (GraphDate(seconds: 1_795_240_800, ticks: 1_234_567, digits: 7), "2026-11-21T06:00:00.1234567Z"),
        (GraphDate(seconds: 1_795_240_800, ticks: 1_234_567, digits: 1), "2026-11-21T06:00:00.1Z"),
        (GraphDate(seconds: 1_795_240_800, ticks: 34_567, digits: 3), "2026-11-21T06:00:00.003Z"),
        (GraphDate(seconds: -1), "1969-12-31T23:59:59Z"),
    ])
    func datesAreWrittenWithTheirDigits(_ date: GraphDate, _ text: String) {
        #expect(date.text == text)
        #expect(GraphDate(text)?.seconds == date.seconds)
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T06:00:00", "2026-13-21T06:00:00Z", "2026-11-21T24:00:00Z",
        "2026-11-21T06:00:00.12345678Z", "2026-11-21T06:00:00.Z", "2026-11-21T06:00:00+01:00",
    ])
    func otherTextsAreNoDates(_ text: String) {
        #expect(GraphDate(text) == nil)
    }

    @Test func writtenStringsAreReadBackTheSame() throws {
        let texts = [
            "", "plain", "quote \" backslash \\ / slash", "\u{0}\u{1}\u{1F}\n\r\t", "💻 ü \u{202E}א", "\u{7F}",
            String(repeating: "x", count: 10_000),
        ]
        for text in texts {
            var writer = JSONText()
            writer.write(text)
            #expect(try JSON(parsing: writer.bytes) == .string(text))
        }
    }

    @Test func numbersAreWrittenWhole() {
        for number in [0, 7, -7, Int64.max, Int64.min, 137_438_953_472] {
            var writer = JSONText()
            writer.write(number)
            #expect(String(decoding: writer.bytes, as: UTF8.self) == String(number))
        }
    }

    @Test func base64IsReversibleAndStrict() {
        for length in 0..<70 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) }
            let text = Base64URL.encode(bytes)
            #expect(!text.contains("=") && !text.contains("+") && !text.contains("/"))
            #expect(Base64URL.decode(text) == bytes)
        }
        #expect(Base64URL.encode(Array("hello?>".utf8)) == "aGVsbG8_Pg")
        #expect(Base64URL.decode("a") == nil)
        #expect(Base64URL.decode("ab+c") == nil)
    }

    @Test func queriesKeepOrderAndRawBytes() {
        let query = QueryString(
            "$select=id,deviceName&$filter=a%20eq%20%27b%2Bc%27&x=1+2&$skiptoken=s%3A1&flag")
        #expect(query["$filter"] == "a eq 'b+c'")
        #expect(query["x"] == "1 2")
        #expect(query["FLAG"] == "")
        #expect(query["none"] == nil)
        #expect(
            query.raw(without: "$skiptoken")
                == "$select=id,deviceName&$filter=a%20eq%20%27b%2Bc%27&x=1+2&flag")
    }

    @Test func percentCodingRefusesBrokenEscapes() {
        #expect(PercentCoding.decode("%e2%82%ac", plusIsSpace: false) == "€")
        for wrong in ["%", "%4", "%zz", "%ff"] as [Substring] {
            #expect(PercentCoding.decode(wrong, plusIsSpace: false) == nil, "\(wrong)")
        }
        #expect(PercentCoding.encode("a b+€~") == "a%20b%2B%E2%82%AC~")
    }

    @Test func httpDatesNameTheRightWeekday() {
        #expect(HTTPDate.text(unixSeconds: 1_795_240_800) == "Sat, 21 Nov 2026 06:00:00 GMT")
        #expect(HTTPDate.text(unixSeconds: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }

    @Test(arguments: [
        ("https", "graph.example:8443", "https://graph.example:8443"),
        (nil, "127.0.0.1:1", "http://127.0.0.1:1"),
        ("ftp", "h", "http://h"), (nil, nil, "http://localhost"), (nil, "a/b", "http://localhost"),
        (nil, "a\"b", "http://localhost"), (nil, "[::1]:80", "http://[::1]:80"),
    ])
    func basesComeFromTheClient(_ scheme: String?, _ host: String?, _ base: String) {
        #expect(IncomingCall.base(scheme: scheme, host: host) == base)
    }

    @Test(arguments: [
        ("/v1.0/deviceManagement", "/v1.0/deviceManagement/managedDevices", true),
        ("/V1.0/devicemanagement", "/v1.0/deviceManagement/managedDevices", true),
        ("/v1.0/x", "/v1.0/deviceManagement", false),
        ("/*/oauth2/v2.0/token", "/c0000000/oauth2/v2.0/token", true),
        ("*/managedDevices", "/beta/deviceManagement/managedDevices", true),
        ("*/managedDevices", "/beta/deviceManagement/managedDevices/1", false),
        ("*/managedDevices/*", "/beta/deviceManagement/managedDevices/1", true),
        ("/a*a", "/a", false), ("*", "/anything", true),
    ])
    func patternsMatchPrefixesAndStars(_ pattern: String, _ path: String, _ matches: Bool) {
        #expect(PathPattern(pattern).matches(path) == matches)
    }
}
