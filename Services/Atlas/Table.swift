import JSON
import Operations

/// One place of a table: a text that came from anywhere, and its tone.
struct Cell: Sendable, ExpressibleByStringLiteral {
    let text: String
    var tone: Badge.Tone?

    init(_ text: String, _ tone: Badge.Tone? = nil) {
        self.text = Style.plain(text)
        self.tone = tone
    }

    init(_ badge: Badge) { self.init("\(badge.icon) \(badge.label)", badge.tone) }

    /// A badge as the API tells it.
    init(badge: JSON) {
        let text = [badge["icon"]?.string, badge["label"]?.string].compactMap(\.self)
        self.init(text.joined(separator: " "), badge["tone"]?.string.flatMap(Badge.Tone.init))
    }

    init(stringLiteral text: String) { self.init(text) }
}

/// Texts in columns, as wide as their widest.
enum Table {
    private static let gap = "  "

    /// The header and the rows, one line each. All rows have as many cells as the header.
    static func lines(_ header: [String], _ rows: [[Cell]], _ style: Style) -> [String] {
        let widths = header.indices.map { column in
            max(header[column].count, rows.map { $0[column].text.count }.max() ?? 0)
        }
        let title = line(header.map { Cell($0) }, widths) { cell, text in style.faint(text) }
        return [title]
            + rows.map { row in
                line(row, widths) { cell, text in cell.tone.map { style.paint(text, $0) } ?? text }
            }
    }

    /// Names and their values, one pair a line.
    static func pairs(_ pairs: [(String, Cell)], _ style: Style) -> [String] {
        let width = pairs.map(\.0.count).max() ?? 0
        return pairs.map { name, value in
            style.faint(pad(name, width)) + gap
                + (value.tone.map { style.paint(value.text, $0) } ?? value.text)
        }
    }

    /// The last cell is not padded: no line ends in spaces.
    private static func line(
        _ cells: [Cell], _ widths: [Int], _ paint: (Cell, String) -> String
    ) -> String {
        let last = cells.lastIndex { !$0.text.isEmpty } ?? 0
        return cells[...last].enumerated().map { column, cell in
            let text = column == last ? cell.text : pad(cell.text, widths[column])
            return paint(cell, text)
        }.joined(separator: gap)
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
