import CCurl

enum CurlLibrary {
    /// Starts libcurl once for the process. It is never ended: other threads may still use it then.
    static func start() {
        precondition(started, "libcurl does not start")
    }

    private static let started = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}
