/// An event as browsers that listen read it (server-sent events).
enum ServerEvent {
    /// Says nothing, and keeps the connection open.
    static let comment = ":\n\n"

    /// `text` may have several lines. Without a name it is a message of the page; the id tells it from others.
    static func text(_ text: String, name: String? = nil, id: String? = nil) -> String {
        let head = [id.map { "id: \($0)\n" }, name.map { "event: \($0)\n" }].compactMap(\.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "data: \($0)\n" }
        return (head + lines).joined() + "\n"
    }
}
