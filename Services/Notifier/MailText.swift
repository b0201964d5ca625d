import Operations
import Store

/// What a mail says: the notification's own words, and where to look.
struct MailText: Sendable, Hashable {
    /// One line of at most ``subjectLimit`` bytes.
    let subject: String
    let text: String

    private static let subjectLimit = 500

    /// `console`: the console's address; nil when there is none, and people look by `atlas`.
    init(_ delivery: DueDelivery, console: String?) {
        self.init(title: delivery.title, body: delivery.body, run: delivery.runID, console: console)
    }

    init(title: String, body: String, run: RunID, console: String?) {
        subject = Self.line(title)
        let place = console.map { "\($0)/runs/\(run)" } ?? "atlas runs show \(run)"
        let paragraphs = [
            Self.plain(title) + ".", Self.plain(body), "View run: \(place)",
            "You get this because you wanted to be told by e-mail of what you started or keep."
                + " To stop it: atlas notifications email --off",
        ]
        text = paragraphs.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    /// Names of tenants are typed by people: what could end a header or a line becomes a space.
    private static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: " "
                    default: scalar
                    }
                }))
    }

    private static func line(_ text: String) -> String {
        var line = ""
        for character in plain(text) {
            guard line.utf8.count + character.utf8.count <= subjectLimit else { break }
            line.append(character)
        }
        return line
    }
}
