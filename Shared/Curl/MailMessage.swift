import FoundationEssentials

/// A mail in the form that goes over the wire: RFC 5322 header and MIME body, every line end CR LF.
/// Dots at the beginning of a line are doubled by curl.
enum MailMessage {
    /// What a line may have at most, without its end.
    private static let mostLineBytes = 998
    private static let base64LineBytes = 76

    /// The bytes of a checked mail.
    static func bytes(of mail: Mail) -> [UInt8] {
        let lines = lines(of: mail.text)
        let plain = lines.allSatisfy { line in
            line.utf8.count <= mostLineBytes && line.utf8.allSatisfy { $0 < 127 && ($0 >= 32 || $0 == 9) }
        }
        var header = [
            "Date: \(date(mail.date))",
            "From: <\(mail.sender)>",
            "To: " + mail.recipients.map { "<\($0)>" }.joined(separator: ",\r\n "),
            "Subject: \(EncodedWord.header(mail.subject))",
            "Message-ID: <\(mail.messageID)>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
        ]
        header.append("Content-Transfer-Encoding: \(plain ? "7bit" : "base64")")
        let body = plain ? lines.joined(separator: "\r\n") : base64(lines.joined(separator: "\r\n"))
        return Array("\(header.joined(separator: "\r\n"))\r\n\r\n\(body)\r\n".utf8)
    }

    /// Splits at CR LF, LF or a lonely CR. (Swift sees CR LF as one character.)
    private static func lines(of text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false) { $0 == "\r\n" || $0 == "\n" || $0 == "\r" }
    }

    private static func base64(_ text: String) -> String {
        let encoded = Array(Data(text.utf8).base64EncodedString().utf8)
        let lines = stride(from: 0, to: encoded.count, by: base64LineBytes).map { start in
            String(decoding: encoded[start..<min(start + base64LineBytes, encoded.count)], as: UTF8.self)
        }
        return lines.joined(separator: "\r\n")
    }

    /// RFC 5322 date and time in UTC, for example `Sat, 21 Nov 2026 10:02:07 +0000`.
    static func date(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents(
            [.weekday, .day, .month, .year, .hour, .minute, .second], from: date)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int?) -> String { (number! < 10 ? "0" : "") + String(number!) }
        return "\(days[parts.weekday! - 1]), \(two(parts.day)) \(months[parts.month! - 1]) \(parts.year!) "
            + "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second)) +0000"
    }
}
