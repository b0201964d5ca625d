/// A form with files in the form in which browsers send it (`multipart/form-data`, RFC 7578), read as names and values:
/// a file is its text.
enum MultipartBody {
    /// The most parts that are read; a form with more is none.
    private static let limit = 100
    /// The longest boundary, in bytes (RFC 2046).
    private static let boundaryLimit = 70

    /// The boundary that a content type names; nil for any other content.
    static func boundary(_ contentType: String) -> String? {
        let parts = contentType.split(separator: ";").map(\.trimmed)
        guard parts.first?.lowercased() == "multipart/form-data" else { return nil }
        for part in parts.dropFirst() where part.lowercased().hasPrefix("boundary=") {
            let boundary = unquoted(part.dropFirst("boundary=".count))
            return (1...boundaryLimit).contains(boundary.utf8.count) ? boundary : nil
        }
        return nil
    }

    /// The names and values; nil for what is no such form.
    static func pairs(_ body: [UInt8], boundary: String) -> [(name: String, value: String)]? {
        let lineEnd = Array("\r\n".utf8)
        let delimiter = lineEnd + Array("--\(boundary)".utf8)
        // The first delimiter has no line before it.
        var rest = (lineEnd + body)[...]
        guard let first = range(of: delimiter, in: rest) else { return nil }
        rest = rest[first.upperBound...]
        var pairs: [(name: String, value: String)] = []
        while !rest.starts(with: Array("--".utf8)) {
            guard pairs.count < limit, rest.starts(with: lineEnd), let next = range(of: delimiter, in: rest),
                let pair = pair(rest[rest.startIndex..<next.lowerBound])
            else { return nil }
            pairs.append(pair)
            rest = rest[next.upperBound...]
        }
        return pairs
    }

    /// One part: headers, an empty line, and what it holds.
    private static func pair(_ part: ArraySlice<UInt8>) -> (name: String, value: String)? {
        guard let end = range(of: Array("\r\n\r\n".utf8), in: part) else { return nil }
        let head = String(decoding: part[part.startIndex..<end.lowerBound], as: UTF8.self)
        for line in head.split(separator: "\r\n") {
            let field = line.split(separator: ":", maxSplits: 1)
            guard field.count == 2, field[0].lowercased() == "content-disposition",
                let name = parameter("name", of: field[1])
            else { continue }
            return (name, String(decoding: part[end.upperBound...].filter { $0 != 0 }, as: UTF8.self))
        }
        return nil
    }

    /// Browsers write a quote in a name as `%22`, so a quote always ends one.
    private static func parameter(_ name: String, of disposition: some StringProtocol) -> String? {
        let words = disposition.split(separator: ";").map(\.trimmed)
        guard words.first?.lowercased() == "form-data" else { return nil }
        return words.first { $0.hasPrefix("\(name)=") }.map { unquoted($0.dropFirst(name.count + 1)) }
    }

    private static func unquoted(_ text: some StringProtocol) -> String {
        text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
            ? String(text.dropFirst().dropLast()) : String(text)
    }

    private static func range(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Range<Int>? {
        guard let first = needle.first else { return nil }
        var start = bytes.startIndex
        while let found = bytes[start...].firstIndex(of: first) {
            if bytes[found...].starts(with: needle) { return found..<found + needle.count }
            start = found + 1
        }
        return nil
    }
}
