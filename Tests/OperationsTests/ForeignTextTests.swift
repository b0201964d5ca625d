import Testing

import Operations

@Suite struct ForeignTextTests {
    @Test(arguments: [
        ("plain words, and 42", "plain words, and 42"),
        ("\u{1B}[2J\u{7}red\r\n", "\\u{1b}[2J\\u{7}red\\u{d}\\u{a}"),
        ("a\u{202E}b\u{2028}c\u{9B}d", "a\\u{202e}b\\u{2028}c\\u{9b}d"),
        ("Zürich 🙂", "Zürich 🙂"),
        (
            #"{"run_id":"0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10","attempt":1}"#,
            #"{"run_id":"0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10","attempt":1}"#
        ),
        (
            #"{"client_secret":"hunter2","deep":[{"Password":"x","n":1}]}"#,
            #"{"client_secret":"•••","deep":[{"Password":"•••","n":1}]}"#
        ),
        (
            "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9abc.eyJzdWIiOiIxMjM0NTY3ODkwIn0",
            "Authorization: Bearer •••.•••"
        ),
        (
            "2026-11-21T16:19:23.123456Z com.tenantatlas.run.completed.v1",
            "2026-11-21T16:19:23.123456Z com.tenantatlas.run.completed.v1"
        ),
    ])
    func shown(_ text: String, _ expected: String) {
        #expect(ForeignText(Array(text.utf8), limit: 1_000) == ForeignText(expected, isCut: false))
    }

    @Test func isBounded() {
        let cut = ForeignText(Array("abc\u{1B}def".utf8), limit: 8)
        #expect(cut == ForeignText("abc", isCut: true), "an escape is not cut in two")
        #expect(ForeignText(Array("abcdefgh".utf8), limit: 8).isCut == false)
        #expect(ForeignText(Array("abcdefghi".utf8), limit: 8) == ForeignText("abcdefgh", isCut: true))
        // Cut in the middle, a secret would be too short to be taken for one.
        let secret = "key: sk9f8e7d6c5b4a3928171605f4e3d2c1b0"
        #expect(!ForeignText(Array(secret.utf8), limit: 12).text.contains("sk9"))
        #expect(ForeignText([0xFF, 0x41], limit: 10).text == "\u{FFFD}A")
        #expect(ForeignText([], limit: 10) == ForeignText("", isCut: false))
    }
}
