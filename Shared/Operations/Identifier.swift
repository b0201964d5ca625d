package import FoundationEssentials

/// The id of one kind of thing. The phantom type keeps a tenant's id from being passed as a run's.
package struct Identifier<Subject>: Sendable, Hashable, CustomStringConvertible {
    /// The value as it stands in the database.
    package let uuid: UUID

    /// Wraps a value.
    package init(_ uuid: UUID) { self.uuid = uuid }

    /// Parses the 36-character form, in either case; nil for anything else. (Foundation also takes blanks, signs
    /// and `0x` for digits: two texts would name one thing.)
    package init?(_ text: String) {
        guard let uuid = UUID(canonical: text) else { return nil }
        self.uuid = uuid
    }

    /// The 36-character form in lower case.
    package var description: String { uuid.canonicalText }
}

extension UUID {
    /// The positions of the hyphens in the 36-character form.
    private static func isHyphen(_ position: Int) -> Bool {
        position == 8 || position == 13 || position == 18 || position == 23
    }

    /// The 36-character form in lower case. Every decision names a dozen ids; Foundation formats them by
    /// `printf`.
    fileprivate var canonicalText: String {
        withUnsafeBytes(of: uuid) { bytes in
            String(unsafeUninitializedCapacity: 36) { text in
                var position = 0
                for byte in bytes {
                    if Self.isHyphen(position) {
                        text[position] = UInt8(ascii: "-")
                        position += 1
                    }
                    text[position] = Self.digit(byte >> 4)
                    text[position + 1] = Self.digit(byte & 15)
                    position += 2
                }
                return 36
            }
        }
    }

    fileprivate init?(canonical text: String) {
        var text = text
        let parsed: uuid_t? = text.withUTF8 { bytes in
            guard bytes.count == 36 else { return nil }
            var uuid: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            let isWell = withUnsafeMutableBytes(of: &uuid) { uuid in
                var digits = 0
                for (position, byte) in bytes.enumerated() {
                    if Self.isHyphen(position) {
                        guard byte == UInt8(ascii: "-") else { return false }
                        continue
                    }
                    guard let value = Self.value(byte) else { return false }
                    uuid[digits / 2] = uuid[digits / 2] << 4 | value
                    digits += 1
                }
                return true
            }
            return isWell ? uuid : nil
        }
        guard let parsed else { return nil }
        self.init(uuid: parsed)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// What the ids name. The cases exist only as types.
package enum Subject {
    /// A service provider's organisation.
    package enum Workspace {}
    /// A customer's Microsoft tenant.
    package enum Tenant {}
    /// A person, or a system with a token.
    package enum User {}
    /// One act of giving a person a role; removed and given again is another one.
    package enum Grant {}
    /// A provider connection: an application in a customer's directory.
    package enum Connection {}
    /// One operation on one tenant, from start to outcome.
    package enum Run {}
    /// Leave for one provider call.
    package enum Call {}
    /// One policy in the backup sets of a connection.
    package enum BackupItem {}
    /// What starts an operation again and again.
    package enum Schedule {}
    /// An address that is told by HTTP of the ends of runs.
    package enum Webhook {}
    /// One notification on its way to one receiver.
    package enum Delivery {}
    /// A message that nobody could process.
    package enum DeadLetter {}
    /// A filter that a person has named.
    package enum SavedView {}
}

package typealias WorkspaceID = Identifier<Subject.Workspace>
package typealias TenantID = Identifier<Subject.Tenant>
package typealias UserID = Identifier<Subject.User>
package typealias GrantID = Identifier<Subject.Grant>
package typealias ConnectionID = Identifier<Subject.Connection>
package typealias RunID = Identifier<Subject.Run>
package typealias CallID = Identifier<Subject.Call>
package typealias ScheduleID = Identifier<Subject.Schedule>
package typealias WebhookID = Identifier<Subject.Webhook>
package typealias DeliveryID = Identifier<Subject.Delivery>
package typealias DeadLetterID = Identifier<Subject.DeadLetter>
package typealias SavedViewID = Identifier<Subject.SavedView>
