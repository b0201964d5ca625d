import FoundationEssentials

/// RFC 2047: how letters outside ASCII travel in a mail header.
enum EncodedWord {
    /// 75 is the most that a word may have: 12 go to its marks, and base64 turns 3 bytes into 4.
    private static let mostBytesOfWord = 45

    /// The text of a header: as it is when it is short printable ASCII, else as encoded words, one a line.
    static func header(_ text: String) -> String {
        let plain = text.utf8.count <= 60 && text.utf8.allSatisfy { (32...126).contains($0) }
        guard !plain || text.contains("=?") else { return text }
        return chunks(of: text)
            .map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }
            .joined(separator: "\r\n ")
    }

    /// A word must hold whole code points.
    private static func chunks(of text: String) -> [String] {
        var chunks: [String] = []
        var chunk = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            let length = UTF8.width(scalar)
            if bytes + length > mostBytesOfWord {
                chunks.append(String(chunk))
                chunk = String.UnicodeScalarView()
                bytes = 0
            }
            chunk.append(scalar)
            bytes += length
        }
        if bytes > 0 { chunks.append(String(chunk)) }
        return chunks
    }
}
