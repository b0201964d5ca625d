import CCurl

extension EasyHandle {
    /// Sets the handle up for a checked request.
    func prepare(_ request: HTTPRequest, id: Int, userAgent: String) throws(TransferError) {
        try prepare(
            policy: request.addressPolicy, connectTimeout: request.connectTimeout, mayRepeat: request.isSafe)
        try ok(curl_set_pointer(pointer, CURLOPT_PRIVATE, UnsafeMutableRawPointer(bitPattern: id)))
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        // One request on a connection at a time: only then is it certain what was sent when it breaks.
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_ACCEPT_ENCODING, "gzip")
        try set(CURLOPT_USERAGENT, userAgent)
        try set(CURLOPT_URL, request.url)
        try trust(file: request.trustedCAFile)
        try collectBody(limit: request.bodyLimit)
        try prepareMethod(request)
        try set(CURLOPT_HTTPHEADER, list: request.headerLines)
    }

    private func prepareMethod(_ request: HTTPRequest) throws(TransferError) {
        switch (request.method, request.body) {
        case ("GET", nil): try set(CURLOPT_HTTPGET, 1)
        case ("HEAD", _): try set(CURLOPT_NOBODY, 1)
        case (let method, nil) where !["POST", "PUT", "PATCH"].contains(method):
            try set(CURLOPT_CUSTOMREQUEST, method)
        case (let method, let body):
            try set(CURLOPT_CUSTOMREQUEST, method)
            try set(CURLOPT_POST, 1)
            try ok(curl_set_size(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body?.count ?? 0)))
            let copied = (body ?? []).withUnsafeBufferPointer { bytes in
                // curl takes «no bytes» only with an address.
                withUnsafePointer(to: 0 as UInt8) { empty in
                    let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? empty)
                    return curl_set_pointer(pointer, CURLOPT_COPYPOSTFIELDS, start)
                }
            }
            try ok(copied)
        }
    }

    /// curl leaves the line end in a value that is empty.
    private static func trimmed(_ value: String) -> String {
        value.unicodeScalars.allSatisfy(\.properties.isWhitespace) ? "" : value
    }

    /// The answer of a transfer that ended well.
    func response() -> HTTPResponse {
        var fields: [HTTPHeaders.Field] = []
        var header: UnsafeMutablePointer<curl_header>?
        while let next = curl_easy_nextheader(pointer, UInt32(CURLH_HEADER), -1, header) {
            fields.append(
                HTTPHeaders.Field(
                    name: String(cString: next.pointee.name),
                    value: Self.trimmed(String(cString: next.pointee.value))))
            header = next
        }
        return HTTPResponse(
            status: curl_response_code(pointer), headers: HTTPHeaders(fields), body: takeBody())
    }
}

extension HTTPRequest {
    /// Whether carrying it out twice does no more than once: RFC 9110's safe methods.
    fileprivate var isSafe: Bool { ["GET", "HEAD", "OPTIONS"].contains(method) }

    /// curl's own form: `Name;` sends an empty value, `Name:` sends nothing.
    fileprivate var headerLines: [String] {
        var lines = headers.map { name, value in
            value.allSatisfy { $0 == " " || $0 == "\t" } ? "\(name);" : "\(name): \(value)"
        }
        // Without these, curl adds «100-continue» to large bodies and a form type to every body.
        lines.append("Expect:")
        if body != nil, !headers.contains(where: { HTTPHeaders.equal($0.0, "Content-Type") }) {
            lines.append("Content-Type:")
        }
        return lines
    }
}
