import FoundationEssentials
import ServiceKit
import JSON
import Operations
import Testing

@testable import Atlas

@Suite struct TableTests {
    static let plain = Style(hasColours: false, times: Times(now: Date(), isExact: false))
    static let coloured = Style(hasColours: true, times: Times(now: Date(), isExact: false))

    @Test func columnsAreAsWideAsTheirWidest() {
        let lines = Table.lines(
            ["NAME", "N"], [["Contoso", "20,000"], ["Ada", "1"], ["Zoë", ""]], Self.plain)
        #expect(lines == ["NAME     N", "Contoso  20,000", "Ada      1", "Zoë"])
    }

    @Test func coloursDontMoveColumns() {
        let rows: [[Cell]] = [[Cell("ok", .good), "x"], [Cell("failed", .bad), "y"]]
        let painted = Table.lines(["STATE", "W"], rows, Self.coloured)
        #expect(painted[1] == "\u{1B}[32mok    \u{1B}[0m  x")
        let stripped = painted.map { $0.replacing(#/\u{1B}\[[0-9;]*m/#, with: "") }
        #expect(stripped == Table.lines(["STATE", "W"], rows, Self.plain))
    }

    @Test func pairsAlign() {
        #expect(Table.pairs([("a", "1"), ("long", "2")], Self.plain) == ["a     1", "long  2"])
    }

    /// A tenant's name must not be able to play tricks with an operator's terminal.
    @Test(arguments: ["\u{1B}[2J", "a\r\nb", "\u{9B}31m", "\u{202E}abc", "tab\there", "\u{7F}"])
    func whatMovesTheCursorIsTakenOut(_ text: String) {
        let cell = Cell(text).text
        #expect(!cell.unicodeScalars.contains { $0.value < 32 || (127..<160).contains($0.value) })
        #expect(!cell.unicodeScalars.contains("\u{202E}"))
    }

    @Test func progressIsCutWithoutItsColours() {
        let text = Self.coloured.paint("running", .active) + " now"
        #expect(Terminal.cut(text, to: 3) == "\u{1B}[34mrun\u{1B}[0m")
        #expect(Terminal.cut(text, to: 11) == text)
        #expect(Terminal.cut("", to: 3).isEmpty)
    }

    @Test func everyToneIsToldWithoutColoursToo() {
        for tone in [Badge.Tone.neutral, .active, .waiting, .good, .mixed, .refused, .bad] {
            #expect(Self.plain.paint("x", tone) == "x")
        }
        #expect(Self.coloured.paint("x", .bad) == "\u{1B}[31mx\u{1B}[0m")
        #expect(Self.coloured.paint("x", .neutral) == "x")
    }
}
