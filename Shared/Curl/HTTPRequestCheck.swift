import CCurl

extension HTTPRequest {
    private static let mostURLBytes = 16 * 1024
    private static let mostHeaders = 64
    private static let mostHeaderBytes = 64 * 1024

    /// What the client writes itself. A second value from the caller could end the request early, or
    /// begin another one on the same connection.
    private static let reservedHeaders = [
        "host", "content-length", "transfer-encoding", "connection", "expect", "accept-encoding",
        "user-agent", "te", "trailer", "upgrade",
    ]

    /// Throws `.invalidRequest` for what must never reach the wire.
    func check() throws(TransferError) {
        guard (1...16).contains(method.utf8.count), method.utf8.allSatisfy({ (65...90).contains($0) }) else {
            throw .invalid("a method is 1 to 16 upper-case letters")
        }
        try checkURL()
        try checkHeaders()
        guard timeout > .zero, connectTimeout > .zero, bodyLimit >= 0 else {
            throw .invalid("time-outs must be above 0, and the body limit not below")
        }
        if let trustedCAFile, trustedCAFile.isEmpty || trustedCAFile.utf8.contains(0) {
            throw .invalid("the CA file's name is empty or has a NUL byte")
        }
    }

    /// curl's own parser looks at the URL, so that what is checked is what is used.
    private func checkURL() throws(TransferError) {
        guard url.utf8.count <= Self.mostURLBytes else {
            throw .invalid("the URL is longer than \(Self.mostURLBytes) bytes")
        }
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalid("the URL has a space, a control character or a letter outside ASCII")
        }
        let lowercased = url.prefix(8).lowercased()
        // curl forgives a third slash, and takes what follows for the host.
        guard lowercased.hasPrefix("http://") || lowercased.hasPrefix("https://"), !url.contains(":///")
        else {
            throw .invalid("the URL is not an absolute http or https URL")
        }
        let parts = curl_url()
        defer { curl_url_cleanup(parts) }
        guard curl_url_set(parts, CURLUPART_URL, url, UInt32(CURLU_DISALLOW_USER)) == CURLUE_OK else {
            throw .invalid("the URL is malformed, or has a user name")
        }
    }

    private func checkHeaders() throws(TransferError) {
        let bytes = headers.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 4 }
        guard headers.count <= Self.mostHeaders, bytes <= Self.mostHeaderBytes else {
            throw .invalid("more than \(Self.mostHeaders) headers or \(Self.mostHeaderBytes) bytes of them")
        }
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else {
                throw .invalid("a header name is not a token")
            }
            guard value.utf8.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) }) else {
                throw .invalid("the value of header \(name) has a control character")
            }
            guard !Self.reservedHeaders.contains(where: { HTTPHeaders.equal($0, name) }) else {
                throw .invalid("header \(name) is written by the client itself")
            }
        }
    }

    /// RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
