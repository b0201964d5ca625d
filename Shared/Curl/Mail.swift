import FoundationEssentials

/// One plain-text mail. The relay takes it for all recipients or for none.
package struct Mail: Sendable, CustomStringConvertible, CustomReflectable {
    package var relay: MailRelay
    /// An ASCII address, `local@domain`.
    package var sender: String
    /// 1 to 100 ASCII addresses. They are all named in the message.
    package var recipients: [String]
    /// At most 500 bytes; any letters, no control characters.
    package var subject: String
    /// At most 1 MiB; any letters, any line ends, no NUL.
    package var text: String
    /// `unique@domain`, without angle brackets. The same for each repetition of the same mail, so that the
    /// reader's program shows it once.
    package var messageID: String
    package var date: Date
    /// From the call until the relay has taken the message.
    package var timeout: Duration

    package init(
        relay: MailRelay, sender: String, recipients: [String], subject: String, text: String,
        messageID: String, date: Date, timeout: Duration = .seconds(60)
    ) {
        self.relay = relay
        self.sender = sender
        self.recipients = recipients
        self.subject = subject
        self.text = text
        self.messageID = messageID
        self.date = date
        self.timeout = timeout
    }

    /// Neither addresses nor text: both are personal.
    package var description: String { "mail to \(recipients.count) recipients over \(relay)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }

    /// Throws `.invalidRequest` for what must never reach the wire.
    func check() throws(TransferError) {
        try relay.check()
        guard (1...100).contains(recipients.count) else { throw .invalid("a mail has 1 to 100 recipients") }
        for address in recipients + [sender, messageID] where !Self.isAddress(address) {
            throw .invalid("sender, recipient or message id is not an ASCII address of at most 254 bytes")
        }
        guard subject.utf8.count <= 500, subject.unicodeScalars.allSatisfy({ !Self.isControl($0) }) else {
            throw .invalid("the subject is longer than 500 bytes or has a control character")
        }
        guard text.utf8.count <= 1024 * 1024, !text.utf8.contains(0) else {
            throw .invalid("the text is longer than 1 MiB or has a NUL byte")
        }
        guard timeout > .zero else { throw .invalid("the time-out must be above 0") }
    }

    /// Without quoted local parts and address literals: nobody has them, and they could hide a second one.
    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count <= 254, parts[0].utf8.count <= 64 else { return false }
        return !parts[0].isEmpty && !parts[1].isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 64...90, 97...122: true
                default: "!#$%&'*+-./=?^_`{|}~".utf8.contains(byte)
                }
            }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 32 || (127...159).contains(scalar.value) || [0x2028, 0x2029].contains(scalar.value)
    }
}
