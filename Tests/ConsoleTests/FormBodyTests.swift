import Testing

@testable import Console

/// Forms and queries as browsers send them.
struct FormBodyTests {
    @Test func namesAndValuesAreDecoded() {
        let form = FormBody("a=1+2&b=%C3%A4%26%3D&c&d=&a=3&e=%zz%4")
        #expect(form.verbatim("a") == "1 2" && form.all("a") == ["1 2", "3"])
        #expect(form["b"] == "ä&=" && form["c"] == nil && form["d"] == nil && form["x"] == nil)
        #expect(form.verbatim("d") == "" && form["e"] == "%zz%4")
        #expect(FormBody("a=%00b")["a"] == "b")
        #expect(FormBody("a=%20%20x%20")["a"] == "x")
    }

    @Test func whatIsEncodedComesBack() {
        for text in ["", "a b+c", "ä/ö?&=#%", "\"'<>\n"] {
            #expect(FormBody("x=\(text.urlEncoded)").verbatim("x") == text)
        }
    }

    @Test func onlyPathsOfThisSiteAreLocal() {
        for good in ["/", "/admin", "/admin/operations?q=a%20b&before=c"] {
            #expect(Link.local(good) == good)
        }
        for bad in ["", "//x", "/\\x", "x", "https://x", "/a b", "/a\nb", "/ä"] {
            #expect(Link.local(bad) == nil, "\(bad)")
        }
        #expect(Link.local(nil) == nil)
    }

    @Test func aSpreadsheetIsGivenNoFormulas() {
        #expect(
            RunExport.row(["=1+1", "a\"b", "-x", "plain"]) == "\"'=1+1\",\"a\"\"b\",\"'-x\",\"plain\"\r\n")
    }
}
