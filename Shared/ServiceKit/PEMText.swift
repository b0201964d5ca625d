/// Texts with blocks between `-----BEGIN …-----` and `-----END …-----` (RFC 7468).
package enum PEMText {
    /// Those blocks whose label is wanted, one after the other; the whole text when there is none, so that whoever
    /// reads it says what is wrong.
    package static func blocks(_ text: String, where isWanted: (Substring) -> Bool) -> String {
        var (wanted, block) = ([Substring](), [Substring]())
        var label: Substring?
        for line in text.split(whereSeparator: \.isNewline) {
            if label == nil, let begun = Self.label(of: line, "BEGIN") { (label, block) = (begun, []) }
            guard let open = label else { continue }
            block.append(line)
            if Self.label(of: line, "END") == open {
                if isWanted(open) { wanted += block }
                label = nil
            }
        }
        return wanted.isEmpty ? text : wanted.joined(separator: "\n") + "\n"
    }

    private static func label(of line: Substring, _ word: String) -> Substring? {
        let (begin, end) = ("-----\(word) ", "-----")
        guard line.hasPrefix(begin), line.hasSuffix(end), line.count > begin.count + end.count else {
            return nil
        }
        return line.dropFirst(begin.count).dropLast(end.count)
    }
}
