/// A checked mail, ready for the wire.
struct PreparedMail: Sendable {
    let relay: MailRelay
    let sender: String
    let recipients: [String]
    let message: [UInt8]

    init(_ mail: Mail) throws(TransferError) {
        try mail.check()
        relay = mail.relay
        sender = mail.sender
        recipients = mail.recipients
        message = MailMessage.bytes(of: mail)
    }
}
