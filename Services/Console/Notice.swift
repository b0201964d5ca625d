import JSON

/// What was done, told on the next page: the acknowledgement of a start, or why something was not done.
struct Notice: Sendable {
    enum Tone: String { case good, bad }

    let tone: Tone
    let text: String
    /// Where to look now.
    var link: (label: String, href: String)?

    /// As it is kept in the browser until the next page.
    var json: JSON {
        [
            "tone": .string(tone.rawValue), "text": .string(text), "label": .optional(link?.label),
            "href": .optional(link?.href),
        ]
    }

    init(_ tone: Tone, _ text: String, link: (label: String, href: String)? = nil) {
        self.tone = tone
        self.text = text
        self.link = link
    }

    /// Nil for what is none.
    init?(_ text: String) {
        guard let json = try? JSON(parsing: Array(text.utf8)), let words = json["text"]?.string,
            let tone = json["tone"]?.string.flatMap(Tone.init)
        else { return nil }
        self.init(tone, words)
        if let label = json["label"]?.string, let href = json["href"]?.string { link = (label, href) }
    }
}
