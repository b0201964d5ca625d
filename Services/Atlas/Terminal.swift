import FoundationEssentials
import Glibc
import ServiceKit

/// Where the output goes: a person's terminal, or a file or pipe.
struct Terminal: Sendable {
    let isInteractive: Bool
    let hasColours: Bool
    private let write: @Sendable (String) -> Void

    /// `write` takes text as it is to appear, line ends included.
    init(isInteractive: Bool, hasColours: Bool, write: @escaping @Sendable (String) -> Void) {
        self.isInteractive = isInteractive
        self.hasColours = hasColours
        self.write = write
    }

    /// The process's standard output.
    static var standard: Terminal {
        Terminal(
            isInteractive: isatty(STDOUT_FILENO) == 1 && !isDumb, hasColours: wantsColours(STDOUT_FILENO)
        ) { StandardOutput.write(Array($0.utf8)) }
    }

    /// Colours only on a terminal that has them, and not against the person's wish (no-color.org).
    static func wantsColours(_ file: Int32) -> Bool {
        let noColour = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
        return isatty(file) == 1 && noColour.isEmpty && !isDumb
    }

    private static var isDumb: Bool { ProcessInfo.processInfo.environment["TERM"] == "dumb" }

    /// A line that stays.
    func line(_ text: String) { write(text + "\n") }

    /// A line in place of the last one that was shown in this way, cut where the terminal ends: what wraps
    /// can't be cleared. Only for people.
    func progress(_ text: String) {
        if isInteractive { write(clearing + Self.cut(text, to: Self.columns)) }
    }

    /// At most so many characters, colours not counted; what is cut off takes no colour away from what stays.
    static func cut(_ text: String, to columns: Int) -> String {
        var (cut, shown, isCode) = ("", 0, false)
        for character in text {
            if character == "\u{1B}" { isCode = true }
            if isCode || shown < columns { cut.append(character) }
            if !isCode { shown += 1 }
            if isCode, character == "m" { isCode = false }
        }
        return cut
    }

    /// One less than the terminal has: in the last column some move on to the next line.
    private static var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return 79 }
        return Int(size.ws_col) - 1
    }

    /// Ends the line that was shown in place.
    func endProgress() { write(clearing) }

    /// Back to the begin of the line, and clear it.
    private var clearing: String { isInteractive ? "\r\u{1B}[2K" : "" }
}
