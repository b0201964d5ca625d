import Testing

@testable import Console

/// Forms with files as browsers send them.
struct MultipartBodyTests {
    private func pairs(_ text: String, _ boundary: String = "b") -> [String]? {
        MultipartBody.pairs(Array(text.replacing("\n", with: "\r\n").utf8), boundary: boundary)?.map {
            "\($0.name)=\($0.value)"
        }
    }

    @Test func theBoundaryIsTheContentTypes() {
        #expect(MultipartBody.boundary("multipart/form-data; boundary=ab") == "ab")
        #expect(MultipartBody.boundary("Multipart/Form-Data;charset=x; Boundary=\"a b\"") == "a b")
        for none in [
            "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=a", "",
            "application/x-www-form-urlencoded; boundary=a",
            "multipart/form-data; boundary=\(String(repeating: "a", count: 71))",
        ] {
            #expect(MultipartBody.boundary(none) == nil, "\(none)")
        }
    }

    @Test func namesAndContentsAreRead() {
        let part = "Content-Disposition: form-data; name="
        #expect(pairs("--b\n\(part)\"a\"\n\n1\n--b--\n") == ["a=1"])
        #expect(
            pairs("preamble\n--b\n\(part)\"a\"\n\nx\n--b y\n--b\nX: y\n\(part)c; filename=\"d;e\"\n\n\n--b--")
                == nil)
        #expect(
            pairs(
                "--b\nX: y\n\(part)\"a\"; filename=\"c.pem\"\nContent-Type: t\n\nx\n-b\n\n--b\n\(part)d\n\n\n--b--"
            )
                == ["a=x\r\n-b\r\n", "d="])
        #expect(pairs("--b--") == [])
    }

    @Test func whatIsNoFormIsNone() {
        for text in [
            "", "a=b", "--b", "--b\n", "--b\n\n--b--", "--b\nContent-Disposition: form-data\n\n1\n--b--",
            "--b\nContent-Disposition: attachment; name=\"a\"\n\n1\n--b--",
            "--b\nContent-Disposition: form-data; name=\"a\"\n1\n--b--",
            "--b\nContent-Disposition: form-data; name=\"a\"\n\n1\n--c--",
            String(repeating: "--b\nContent-Disposition: form-data; name=\"a\"\n\n1\n", count: 101) + "--b--",
        ] {
            #expect(pairs(text) == nil, "\(text.prefix(60))")
        }
    }
}
