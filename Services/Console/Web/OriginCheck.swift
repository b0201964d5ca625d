import HTTPTypes

/// Whether a request that changes something comes from the console's own pages.
///
/// Every browser of the last years says where a form was sent from. What says nothing, or something else, is turned away:
/// the cookie alone is no proof of what a person wanted.
struct OriginCheck: Sendable {
    /// Scheme, host and port, as browsers write them.
    private let origin: String

    /// `url` is the console's own, without a path.
    init(publicURL url: String) {
        let lower = url.lowercased()
        let defaults = ["http:": ":80", "https:": ":443"]
        let port = defaults.first { lower.hasPrefix($0.key) }?.value ?? ""
        origin = lower.hasSuffix(port) ? String(lower.dropLast(port.count)) : lower
    }

    func passes(_ headers: HTTPFields) -> Bool {
        if let sent = headers[.origin] { return sent.lowercased() == origin }
        return headers[HTTPField.Name("Sec-Fetch-Site")!] == "same-origin"
    }
}
