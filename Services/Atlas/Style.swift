import FoundationEssentials
import ServiceKit
import Glibc
import JSON
import Operations

/// How texts look: with colours or without, with relative or exact times.
struct Style: Sendable {
    let hasColours: Bool
    let times: Times

    /// The style of error messages.
    static var standardError: Style {
        Style(hasColours: Terminal.wantsColours(STDERR_FILENO), times: Times(now: Date(), isExact: false))
    }

    /// The text in the tone's colour.
    func paint(_ text: String, _ tone: Badge.Tone) -> String {
        guard hasColours, let code = Self.code(of: tone), !text.isEmpty else { return text }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    /// The text as a title.
    func bold(_ text: String) -> String { hasColours ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

    /// The text as a remark.
    func faint(_ text: String) -> String { hasColours ? "\u{1B}[2m\(text)\u{1B}[0m" : text }

    /// A text that came from elsewhere, without what would move a terminal's cursor or change its colours, and
    /// on one line.
    static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar.properties.generalCategory == .control
                        || scalar.properties.generalCategory == .format ? " " : scalar
                }))
    }

    private static func code(of tone: Badge.Tone) -> String? {
        switch tone {
        case .neutral: nil
        case .active: "34"
        case .waiting: "33"
        case .good: "32"
        case .mixed: "35"
        case .refused: "1;33"
        case .bad: "31"
        }
    }
}
