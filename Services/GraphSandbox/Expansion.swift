/// One name in `$expand`, with what is expanded inside it.
struct Expansion: Sendable, Hashable {
    let name: String
    let nested: [String]

    /// Reads `a,b($expand=c,d)`; nil when parentheses don't match. Other options inside are ignored.
    static func all(in text: String) -> [Expansion]? {
        var found: [Expansion] = []
        guard let pieces = split(text, at: ",") else { return nil }
        for piece in pieces {
            guard let open = piece.firstIndex(of: "(") else {
                found.append(Expansion(name: trimmed(piece), nested: []))
                continue
            }
            guard piece.hasSuffix(")") else { return nil }
            let inside = String(piece[piece.index(after: open)...].dropLast())
            guard let options = split(inside, at: ";") else { return nil }
            let nested = options.filter { $0.hasPrefix("$expand=") }.flatMap {
                $0.dropFirst("$expand=".count).split(separator: ",").map { trimmed(String($0)) }
            }
            found.append(Expansion(name: trimmed(String(piece[..<open])), nested: nested))
        }
        return found
    }

    /// The pieces between separators that stand outside parentheses.
    private static func split(_ text: String, at separator: Character) -> [String]? {
        var pieces = [""]
        var depth = 0
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            guard depth >= 0 else { return nil }
            if character == separator, depth == 0 {
                pieces.append("")
            } else {
                pieces[pieces.count - 1].append(character)
            }
        }
        return depth == 0 ? pieces : nil
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
